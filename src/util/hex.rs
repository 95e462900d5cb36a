//! Bytes as text, the way digests are written.

/// Lower-case hexadecimal digits, two a byte.
///
/// ```
/// assert_eq!(rpo_bench::util::hex(&[0, 0x2f, 0xff]), "002fff");
/// ```
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
