//! What a file is, by its first bytes: for messages about files of the wrong kind.

/// The name of a known format, as it follows "it is"; `None` for any other.
pub fn name(head: &[u8]) -> Option<&'static str> {
    const FORMATS: [(&[u8], &str); 15] = [
        (b"\x1f\x8b", "gzip"),
        (b"\x89PNG", "a PNG picture"),
        (b"\xff\xd8\xff", "a JPEG picture"),
        (b"GIF8", "a GIF picture"),
        (b"BM", "a BMP picture"),
        (b"II*\0", "a TIFF picture"),
        (b"MM\0*", "a TIFF picture"),
        (b"RIFF", "a WebP picture or another RIFF file"),
        (b"%PDF", "a PDF file"),
        (b"PK\x03\x04", "a ZIP archive (.npz is one)"),
        (b"\x93NUM", "a NumPy array (.npy)"),
        (b"BZh", "bzip2"),
        (b"\xfd7zX", "xz"),
        (b"<", "a web page"),
        (b"vers", "a Git LFS pointer in the place of the file: run git lfs pull"),
    ];
    FORMATS.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, name)| *name)
}
