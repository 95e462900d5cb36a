//! What a file is that is none of the formats read here: the error says so in words.

use super::super::decode::DecodeError;

/// Beginnings of picture formats that are not read, and their names.
const PICTURES: [(&[u8], &str); 29] = [
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"P1", "PBM (portable bitmap)"),
    (b"P2", "PGM (portable greymap)"),
    (b"P3", "PPM (portable pixmap)"),
    (b"P4", "PBM (portable bitmap)"),
    (b"P5", "PGM (portable greymap)"),
    (b"P6", "PPM (portable pixmap)"),
    (b"P7", "PAM (portable arbitrary map)"),
    (b"Pf", "PFM (portable floatmap)"),
    (b"PF", "PFM (portable floatmap)"),
    (b"\0\0\x01\0", "ICO (icon)"),
    (b"\0\0\x02\0", "CUR (cursor)"),
    (b"icns", "ICNS (icon)"),
    (b"8BPS", "PSD (Photoshop)"),
    (b"\x0a\x05\x01", "PCX"),
    (b"qoif", "QOI"),
    (b"DDS ", "DDS"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"\x76\x2f\x31\x01", "OpenEXR"),
    (b"\x01\xda", "SGI image"),
    (b"\x59\xa6\x6a\x95", "Sun raster"),
    (b"%!PS", "PostScript"),
    (b"%PDF", "PDF"),
    (b"/* XPM", "XPM"),
    (b"<svg", "SVG"),
    (b"<?xml", "XML (SVG?)"),
];

/// Beginnings of files that hold no picture, and what they are.
const OTHERS: [(&[u8], &str); 10] = [
    (b"version https://git-lfs", "a git-lfs pointer: fetch the file itself with `git lfs pull`"),
    (b"\x00\x05\x16\x07", "attributes that macOS kept beside a file (AppleDouble, `._NAME`): delete it"),
    (b"<!DOCTYPE", "an HTML page: a download that went wrong?"),
    (b"<!doctype", "an HTML page: a download that went wrong?"),
    (b"<html", "an HTML page: a download that went wrong?"),
    (b"<HTML", "an HTML page: a download that went wrong?"),
    (b"PK\x03\x04", "a ZIP archive: unpack it"),
    (b"\x1f\x8b", "gzip data: unpack it"),
    (b"RIFF", "a RIFF file, but not WebP"),
    (b"\x89PNG", "a PNG whose first bytes were changed, as by a transfer in text mode: fetch it again"),
];

/// Brands of ISO media files (`ftyp`).
const BRANDS: [(&[u8], &str); 6] = [
    (b"avif", "AVIF"),
    (b"avis", "AVIF"),
    (b"heic", "HEIC"),
    (b"heix", "HEIC"),
    (b"mif1", "HEIF"),
    (b"msf1", "HEIF"),
];

/// The error for bytes that are none of the formats read here.
pub(super) fn refusal(bytes: &[u8]) -> DecodeError {
    if bytes.is_empty() {
        return DecodeError::NoPicture { found: "an empty file" };
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.get(4..8) == Some(b"ftyp") {
        let named = |(brand, _): &&(&[u8], &'static str)| bytes.get(8..12) == Some(*brand);
        let format = BRANDS.iter().find(named).map_or("ISO media (HEIF, MP4)", |(_, format)| format);
        return DecodeError::OtherFormat { format };
    }
    let begins = |(start, _): &&(&[u8], &'static str)| bytes.starts_with(start);
    if let Some((_, format)) = PICTURES.iter().find(begins) {
        return DecodeError::OtherFormat { format };
    }
    if let Some((_, found)) = OTHERS.iter().find(begins) {
        return DecodeError::NoPicture { found };
    }
    DecodeError::UnknownFormat { start: bytes.iter().take(8).copied().collect() }
}

#[cfg(test)]
mod tests {
    use super::refusal;

    #[test]
    fn each_kind_is_called_by_its_name() {
        for (bytes, word) in [
            (&b"\0\0\0 ftypavif\0\0"[..], "AVIF is not supported, convert it"),
            (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000 is not supported, convert it"),
            (b"P6\n3 2\n255\n", "PPM (portable pixmap) is not supported, convert it"),
            (b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
            (b"\xef\xbb\xbf<!DOCTYPE html>", "HTML page"),
            (b"\0\x05\x16\x07\0\x02", "delete it"),
            (b"", "an empty file"),
            (b"junk", "6a, 75, 6e, 6b"),
        ] {
            let said = refusal(bytes).to_string();
            assert!(said.contains(word), "{said}");
        }
    }
}
