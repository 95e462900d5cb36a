//! Archives taken apart into an empty folder, whoever made them.
//!
//! The format is told by the first bytes. Only plain files and folders are made, only below the folder, each name
//! once, and no more bytes than a real archive of that size could hold.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, Read, Write};
use std::path::{Component, Path, PathBuf};

use flate2::Crc;
use flate2::read::{DeflateDecoder, MultiGzDecoder};
use zip::read::{ArchiveOffset, Config};
use zip::{CompressionMethod, ZipArchive};

use super::error::FetchError;

/// Pictures hardly compress: an archive that grows twentyfold is no archive of pictures.
const MOST_GROWTH: u64 = 20;
/// Granted on top, for small archives of texts.
const GRANTED: u64 = 64 << 20;
const MOST_ENTRIES: u64 = 5_000_000;
/// Where a tar archive says so.
const TAR_MARK: (usize, &[u8]) = (257, b"ustar");
const BUFFER: usize = 1 << 18;

/// Whether a file starts like an archive that [`unpack`] reads.
///
/// # Errors
/// [`FetchError::Io`].
pub fn is_archive(path: &Path) -> Result<bool, FetchError> {
    Ok(format(path)?.is_some())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Zip,
    Gzip,
    Tar,
}

fn format(path: &Path) -> Result<Option<Format>, FetchError> {
    let file = File::open(path).map_err(FetchError::io("open", path))?;
    let mut head = Vec::new();
    file.take(512).read_to_end(&mut head).map_err(FetchError::io("read", path))?;
    let (at, mark) = TAR_MARK;
    Ok(match head.as_slice() {
        [b'P', b'K', 3 | 5, ..] => Some(Format::Zip),
        [0x1f, 0x8b, ..] => Some(Format::Gzip),
        _ if head.get(at..at + mark.len()) == Some(mark) => Some(Format::Tar),
        _ => None,
    })
}

/// Unpacks zip, tar or tar.gz into `folder`, which is made.
///
/// # Errors
/// [`FetchError::Archive`] naming the entry, [`FetchError::Io`]; what was written so far is left in `folder`.
pub fn unpack(archive: &Path, folder: &Path) -> Result<(), FetchError> {
    std::fs::create_dir_all(folder).map_err(FetchError::io("make", folder))?;
    let bytes = std::fs::metadata(archive).map_err(FetchError::io("open", archive))?.len();
    let left = bytes.saturating_mul(MOST_GROWTH).saturating_add(GRANTED);
    let mut target = Target { archive, folder, left, entries: 0 };
    let file = BufReader::new(File::open(archive).map_err(FetchError::io("open", archive))?);
    match format(archive)? {
        Some(Format::Zip) => target.zip(file),
        Some(Format::Gzip) => target.tar(MultiGzDecoder::new(file)),
        Some(Format::Tar) => target.tar(file),
        None => Err(target.refuse("", "is neither zip nor tar nor tar.gz")),
    }
}

struct Target<'a> {
    archive: &'a Path,
    folder: &'a Path,
    /// Bytes that may still be written.
    left: u64,
    entries: u64,
}

impl Target<'_> {
    fn refuse(&self, entry: &str, problem: impl Into<String>) -> FetchError {
        let (archive, entry) = (self.archive.to_owned(), entry.to_owned());
        FetchError::Archive { archive, entry, problem: problem.into() }
    }

    fn tar(&mut self, reader: impl Read) -> Result<(), FetchError> {
        let mut archive = tar::Archive::new(reader);
        let broken = |error: std::io::Error| format!("cannot be read: {error}");
        let entries = archive.entries().map_err(|error| self.refuse("", broken(error)))?;
        for entry in entries {
            let mut entry = entry.map_err(|error| self.refuse("", broken(error)))?;
            let kind = entry.header().entry_type();
            if kind.is_pax_global_extensions() {
                continue;
            }
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            match (kind.is_dir(), kind.is_file()) {
                (true, _) => self.make_folder(&name)?,
                (_, true) => _ = self.write(&name, &mut entry)?,
                _ => return Err(self.refuse(&name, format!("is neither file nor folder ({kind:?})"))),
            }
        }
        Ok(())
    }

    fn zip(&mut self, reader: BufReader<File>) -> Result<(), FetchError> {
        let broken = |error: zip::result::ZipError| format!("cannot be read: {error}");
        let from_start = Config { archive_offset: ArchiveOffset::Known(0) };
        let mut archive =
            ZipArchive::with_config(from_start, reader).map_err(|error| self.refuse("", broken(error)))?;
        for index in 0..archive.len() {
            let entry = archive.by_index_raw(index).map_err(|error| self.refuse("", broken(error)))?;
            let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
            // The upper bits of the mode: 4 a folder, 8 a file, 0 where the archive was not made on Unix.
            match entry.unix_mode().map_or(0, |mode| mode >> 12) {
                _ if name.ends_with('/') => {
                    self.make_folder(&name)?;
                    continue;
                }
                0 | 8 => {}
                _ => return Err(self.refuse(&name, "is neither file nor folder")),
            }
            let (expected, method) = (entry.crc32(), entry.compression());
            let found = match method {
                CompressionMethod::Stored => self.write(&name, entry)?,
                method if method == CompressionMethod::DEFLATE => {
                    self.write(&name, DeflateDecoder::new(entry))?
                }
                other => return Err(self.refuse(&name, format!("is compressed by {other}"))),
            };
            if found != expected {
                return Err(self.refuse(&name, "is damaged: its checksum differs"));
            }
        }
        Ok(())
    }

    /// The place of an entry: below the folder, whatever its name says.
    fn place(&mut self, name: &str) -> Result<PathBuf, FetchError> {
        self.entries += 1;
        if self.entries > MOST_ENTRIES {
            return Err(self.refuse(name, format!("is one of more than {MOST_ENTRIES}")));
        }
        let mut place = self.folder.to_owned();
        for component in Path::new(name).components() {
            match component {
                Component::CurDir => {}
                Component::Normal(part) if !name.contains('\0') => place.push(part),
                _ => return Err(self.refuse(name, "would be written outside of its folder")),
            }
        }
        Ok(place)
    }

    fn make_folder(&mut self, name: &str) -> Result<(), FetchError> {
        let place = self.place(name)?;
        std::fs::create_dir_all(&place).map_err(FetchError::io("make", &place))
    }

    /// Writes a file and gives its CRC-32.
    fn write(&mut self, name: &str, mut from: impl Read) -> Result<u32, FetchError> {
        let place = self.place(name)?;
        if let Some(folder) = place.parent() {
            std::fs::create_dir_all(folder).map_err(FetchError::io("make", folder))?;
        }
        let mut file = match OpenOptions::new().write(true).create_new(true).open(&place) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                return Err(self.refuse(name, "is there twice (perhaps in other letter case)"));
            }
            file => file.map_err(FetchError::io("write", &place))?,
        };
        let (mut sum, mut buffer) = (Crc::new(), vec![0; BUFFER]);
        loop {
            let count = from
                .read(&mut buffer)
                .map_err(|error| self.refuse(name, format!("cannot be read: {error}")))?;
            if count == 0 {
                return Ok(sum.sum());
            }
            if count as u64 > self.left {
                return Err(self.refuse(name, "makes more of the archive than any archive of pictures holds"));
            }
            self.left -= count as u64;
            sum.update(&buffer[..count]);
            file.write_all(&buffer[..count]).map_err(FetchError::io("write", &place))?;
        }
    }
}
