//! Reading a picture's file: regular files only, and none that is larger than any picture.
//!
//! Opening a pipe waits for a writer that may never come, and a device may give bytes without end, so what a path
//! leads to is asked before it is opened.

use std::fs::{File, metadata};
use std::io::{Error, ErrorKind, Read};
use std::path::Path;

/// Most bytes of a picture's file: the largest picture, uncompressed with four 16-bit samples, and some room.
const MAX_BYTES: u64 = super::decode::MAX_PIXELS * 8 + (1 << 24);

/// The bytes of a picture's file.
///
/// # Errors
/// The system's; [`ErrorKind::InvalidInput`] for what is no regular file (a folder, a pipe, a device),
/// [`ErrorKind::FileTooLarge`] for more than about 1.4 GB.
pub fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    let found = metadata(path)?;
    if !found.is_file() {
        let said = if found.is_dir() { "it is a folder" } else { "it is a pipe, socket or device" };
        return Err(Error::new(ErrorKind::InvalidInput, format!("{said}, not a file")));
    }
    if found.len() > MAX_BYTES {
        let said = format!("it has {} bytes, more than any picture ({MAX_BYTES})", found.len());
        return Err(Error::new(ErrorKind::FileTooLarge, said));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::{MAX_BYTES, read_file};

    #[test]
    fn only_regular_files_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.jpg");
        std::fs::write(&file, b"bytes").unwrap();
        assert_eq!(read_file(&file).unwrap(), b"bytes");
        let said = |path: &std::path::Path| read_file(path).unwrap_err().to_string();
        assert!(said(dir.path()).contains("folder"));
        // Sparse: it takes no room on the disk.
        std::fs::File::create(&file).unwrap().set_len(MAX_BYTES + 1).unwrap();
        assert!(said(&file).contains("more than any picture"));
        #[cfg(unix)]
        {
            assert!(said(std::path::Path::new("/dev/zero")).contains("device"));
            let pipe = dir.path().join("pipe.jpg");
            let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
            assert!(made.success() && said(&pipe).contains("pipe"));
        }
    }
}
