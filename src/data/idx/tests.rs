#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::super::fixtures::{gzip, idx};
use super::*;

/// Two images of 1×3, byte by byte.
const IMAGES: [u8; 22] = [
    0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, //
    10, 20, 30, 40, 50, 60,
];

/// Labels 7 and 2.
const LABELS: [u8; 10] = [0, 0, 8, 1, 0, 0, 0, 2, 7, 2];

fn parse(kind: Kind, bytes: &[u8]) -> Result<Idx, String> {
    let source = Box::new(io::Cursor::new(bytes.to_vec()));
    let opened = Opened::parse(Path::new("file"), kind, source, bytes.len() as u64)?;
    opened.read().map_err(|error| error.to_string().replace("file: ", ""))
}

/// Through the file system, as gzip.
fn read_gzip(kind: Kind, bytes: &[u8]) -> Result<Idx, DataError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    Opened::open(file.path(), kind)?.read()
}

#[test]
fn golden_images() {
    let images = parse(Kind::Images, &IMAGES).unwrap().into_images().unwrap();
    assert_eq!((images.count, images.image), (2, ImageShape::gray(1, 3)));
    assert_eq!(images.pixels, [10, 20, 30, 40, 50, 60]);
}

#[test]
fn channels_are_last_in_memory_wherever_they_are_in_the_file() {
    let read = |sizes: &[u32], values: &[u8]| {
        let images = parse(Kind::Images, &idx(0x0804, sizes, values)).unwrap().into_images().unwrap();
        (images.image, images.pixels)
    };
    let shape = |height, width, channels| ImageShape { height, width, channels };
    // Two images of 1×2: red 1 and 2, green 11 and 12, blue 21 and 22; then the same, and 30.
    let planar = [1, 2, 11, 12, 21, 22, 31, 32, 41, 42, 51, 52];
    let last = [1, 11, 21, 2, 12, 22, 31, 41, 51, 32, 42, 52];
    assert_eq!(read(&[2, 3, 1, 2], &planar), (shape(1, 2, 3), last.to_vec()));
    assert_eq!(read(&[2, 1, 2, 3], &last), (shape(1, 2, 3), last.to_vec()));
    assert_eq!(read(&[1, 4, 2, 1], &planar[..8]).0, shape(4, 2, 1));
    assert_eq!(read(&[1, 4, 1, 2], &planar[..8]), (shape(1, 2, 4), vec![1, 11, 21, 31, 2, 12, 22, 32]));
    assert_eq!(read(&[2, 1, 2, 2], &planar[..8]), (shape(2, 2, 1), planar[..8].to_vec()));
    // Both could be: they are last.
    assert_eq!(read(&[1, 3, 1, 4], &planar), (shape(3, 1, 4), planar.to_vec()));
    let problem = parse(Kind::Images, &idx(0x0804, &[2, 2, 2, 2], &[0; 16])).unwrap_err();
    assert_eq!(
        problem,
        "sizes are 2 × 2 × 2 × 2, expected count × height × width, or four with 1, 3 or 4 channels last or second"
    );
}

#[test]
fn golden_labels_of_every_type() {
    let labels = |bytes: &[u8]| parse(Kind::Labels, bytes).unwrap().into_labels().unwrap();
    assert_eq!(labels(&LABELS), [7, 2]);
    assert_eq!(labels(&[0, 0, 0x0b, 1, 0, 0, 0, 2, 3, 0xe7, 0, 1]), [999, 1]);
    assert_eq!(labels(&[0, 0, 0x0c, 1, 0, 0, 0, 1, 0, 1, 0, 2]), [65538]);
    let negative = parse(Kind::Labels, &[0, 0, 0x0b, 1, 0, 0, 0, 1, 0xff, 0xff]).unwrap();
    assert_eq!(negative.into_labels().unwrap_err().to_string(), "file: label -1, expected 0 or above");
}

#[test]
fn cut_anywhere_is_an_error() {
    for (kind, whole) in [(Kind::Images, &IMAGES[..]), (Kind::Labels, &LABELS[..])] {
        for length in 0..whole.len() {
            parse(kind, &whole[..length]).unwrap_err();
            read_gzip(kind, &gzip(&whole[..length])).unwrap_err();
        }
    }
}

#[test]
fn gzip_cut_or_flipped_anywhere_is_an_error_or_the_same_file() {
    let whole = gzip(&IMAGES);
    let expected = read_gzip(Kind::Images, &whole).unwrap();
    for length in 0..whole.len() {
        read_gzip(Kind::Images, &whole[..length]).unwrap_err();
    }
    for position in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[position] ^= 0x55;
        // The header's time and system fields are nobody's contents.
        if let Ok(found) = read_gzip(Kind::Images, &flipped) {
            assert_eq!(found.values, expected.values, "byte {position}");
        }
    }
}

#[test]
fn messages_say_what_was_found_and_what_would_be_right() {
    let problem = |kind, bytes: &[u8]| parse(kind, bytes).unwrap_err();
    assert_eq!(problem(Kind::Images, &LABELS), "magic number is 0x00000801, expected 0x00000803 (u8 images)");
    assert_eq!(
        problem(Kind::Labels, &IMAGES),
        "magic number is 0x00000803, expected 0x00000801 (u8 labels), 0x00000b01 (i16) or 0x00000c01 (i32)"
    );
    assert_eq!(
        problem(Kind::Images, &idx(0x0803, &[2, 0, 3], &[])),
        "sizes are 2 × 0 × 3, expected all above 0"
    );
    assert_eq!(
        problem(Kind::Labels, &idx(0x0801, &[3], &[1, 2])),
        "too short for sizes 3: at most 10 bytes, expected 11"
    );
    assert_eq!(
        problem(Kind::Labels, &idx(0x0801, &[1], &[1, 2])),
        "longer than the 9 bytes expected for sizes 1"
    );
    assert_eq!(problem(Kind::Labels, &[0, 0]), "cut short: ends before its contents do");
}

#[test]
fn a_header_of_terabytes_is_refused_before_anything_is_read() {
    for sizes in [[u32::MAX; 3], [1 << 20, 1 << 12, 1 << 12]] {
        let bytes = idx(0x0803, &sizes, &[0; 8]);
        assert!(parse(Kind::Images, &bytes).unwrap_err().contains("sizes"));
        let message = read_gzip(Kind::Images, &gzip(&bytes)).unwrap_err().to_string();
        assert!(message.contains("sizes"), "{message}");
    }
}

#[test]
fn a_gzip_after_a_gzip_counts_as_contents() {
    let twice = [gzip(&IMAGES[..9]), gzip(&IMAGES[9..])].concat();
    assert_eq!(read_gzip(Kind::Images, &twice).unwrap().values, &IMAGES[16..]);
    for garbage in ["\n", "garbage", "more garbage than a header has bytes"] {
        let garbage = [gzip(&IMAGES), garbage.as_bytes().to_vec()].concat();
        let message = read_gzip(Kind::Images, &garbage).unwrap_err().to_string();
        assert!(message.contains("bytes after its end") || message.contains("bytes follow"), "{message}");
    }
}

#[test]
fn a_missing_file_and_a_folder_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let message = read_images(&missing).unwrap_err().to_string();
    assert!(message.starts_with(&missing.display().to_string()));
    read_labels(folder.path()).unwrap_err();
}

#[test]
fn a_file_is_found_by_each_of_its_names() {
    for name in ["a-idx1-ubyte", "a.idx1-ubyte", "a-idx1-ubyte.gz", "a.idx1-ubyte.gz"] {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(find(folder.path(), "a-idx1-ubyte").unwrap(), None);
        std::fs::write(folder.path().join(name), []).unwrap();
        assert_eq!(find(folder.path(), "a-idx1-ubyte").unwrap(), Some(folder.path().join(name)));
    }
}

#[test]
fn a_file_is_found_in_a_folder_of_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("a.idx1-ubyte");
    std::fs::create_dir(&inner).unwrap();
    assert_eq!(find(folder.path(), "a-idx1-ubyte").unwrap(), None);
    std::fs::write(inner.join("a.idx1-ubyte"), []).unwrap();
    assert_eq!(find(folder.path(), "a-idx1-ubyte").unwrap(), Some(inner.join("a.idx1-ubyte")));
}

#[test]
fn a_link_that_leads_nowhere_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/scratch/gone", folder.path().join("a-idx1-ubyte")).unwrap();
    let message = find(folder.path(), "a-idx1-ubyte").unwrap_err().to_string();
    assert!(message.ends_with("a-idx1-ubyte: is a link to /scratch/gone, where nothing is"), "{message}");
}

#[test]
fn a_file_that_is_nearly_right_is_told_apart() {
    let images = |bytes: &[u8]| parse(Kind::Images, bytes).unwrap_err();
    for (bytes, part) in [
        (gzip(&IMAGES), "gzip inside gzip"),
        (b"\x89PNG\r\n".to_vec(), "it is a PNG picture"),
        (b"\xff\xd8\xff\xe0".to_vec(), "it is a JPEG picture"),
        (b"PK\x03\x04".to_vec(), "it is a ZIP archive"),
        (b"<!doctype html>".to_vec(), "it is a web page"),
        (vec![3, 8, 0, 0], "little-endian"),
        (vec![0, 0, 8, 5], "5 dimensions, expected count × height × width, or one more for channels"),
        (vec![0, 0, 13, 3], "its values are no bytes"),
        (vec![0, 0, 13, 4], "its values are no bytes"),
    ] {
        assert!(images(&bytes).contains(part), "{}", images(&bytes));
    }
}

proptest! {
    #[test]
    fn written_images_are_read_back(height in 1u32..9, width in 1u32..9, pixels in prop::collection::vec(any::<u8>(), 64..500)) {
        let count = pixels.len() as u32 / (height * width);
        let pixels = &pixels[..(count * height * width) as usize];
        let bytes = idx(0x0803, &[count, height, width], pixels);
        let plain = parse(Kind::Images, &bytes).unwrap();
        prop_assert_eq!(plain.sha256(), super::super::checksum::sha256(&bytes[..]).unwrap());
        let images = plain.into_images().unwrap();
        prop_assert_eq!((images.count, images.image), (count as usize, ImageShape::gray(height as usize, width as usize)));
        prop_assert_eq!(&images.pixels, pixels);
        let compressed = read_gzip(Kind::Images, &gzip(&bytes)).unwrap();
        prop_assert_eq!(images, compressed.into_images().unwrap());
    }

    #[test]
    fn written_labels_are_read_back(labels in prop::collection::vec(0..1000i16, 1..200)) {
        let count = labels.len() as u32;
        let wide: Vec<u32> = labels.iter().map(|&label| label as u32).collect();
        let short: Vec<u8> = labels.iter().flat_map(|label| label.to_be_bytes()).collect();
        let long: Vec<u8> = wide.iter().flat_map(|label| label.to_be_bytes()).collect();
        for bytes in [idx(0x0b01, &[count], &short), idx(0x0c01, &[count], &long)] {
            prop_assert_eq!(&parse(Kind::Labels, &bytes).unwrap().into_labels().unwrap(), &wide);
            prop_assert_eq!(&read_gzip(Kind::Labels, &gzip(&bytes)).unwrap().into_labels().unwrap(), &wide);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..64), head in 0usize..5) {
        let heads: [&[u8]; 5] = [&[], &[0x1f, 0x8b], &[0x1f, 0x8b, 8, 0], &IMAGES[..4], &LABELS[..4]];
        let bytes = [heads[head], &bytes].concat();
        for kind in [Kind::Images, Kind::Labels] {
            let _ = parse(kind, &bytes).map(Idx::into_labels);
            let _ = read_gzip(kind, &bytes).map(Idx::into_images);
        }
    }
}
