#![allow(clippy::unwrap_used)]
use super::super::fixtures::{Mirror, Reply, gzip, sha256};
use super::*;

/// The color of a pixel of image `i`: no two pixels, channels or images are alike by chance.
fn color(i: usize, y: usize, x: usize) -> [u8; 3] {
    [(i * 11 + x) as u8, (i * 7 + 3 * y) as u8, (200 - i + 2 * x + y) as u8]
}

/// A row as the format has it, plane by plane.
fn row(i: usize, label: u8) -> Vec<u8> {
    let plane = |channel: usize| {
        (0..32).flat_map(move |y| (0..32).map(move |x| color(i, y, x)[channel])).collect::<Vec<u8>>()
    };
    [vec![label], plane(0), plane(1), plane(2)].concat()
}

/// Three images in each training batch, five in the test batch: 20, label i % 10.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    let rows =
        |images: std::ops::Range<usize>| images.flat_map(|i| row(i, (i % 10) as u8)).collect::<Vec<u8>>();
    let mut files: Vec<_> =
        TRAIN.iter().enumerate().map(|(b, &name)| (name, rows(3 * b..3 * b + 3))).collect();
    files.push((TEST, rows(15..20)));
    files
}

fn write(folder: &Path, files: &[(&str, Vec<u8>)]) {
    fs::create_dir_all(folder).unwrap();
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes).unwrap();
    }
}

fn tar_gz(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        let path = format!("{UNPACKED}/{name}");
        builder.append_data(&mut header, path, bytes.as_slice()).unwrap();
    }
    gzip(&builder.into_inner().unwrap())
}

fn read(folder: &Path) -> Result<Cifar10, DataError> {
    from_mirrors(folder, &[], Checksum::Archive("0"), false)
}

fn is_right(read: &Cifar10) {
    assert_eq!((read.train.len(), read.test.len()), (15, 5));
    for (split, first) in [(&read.train, 0), (&read.test, 15)] {
        for at in 0..split.len() {
            let (image, i) = (split.image(at).unwrap(), first + at);
            assert_eq!(split.labels[at] as usize, i % 10);
            for (y, x) in [(0, 0), (0, 1), (1, 0), (17, 30), (31, 31)] {
                let start = (32 * y + x) * 3;
                assert_eq!(image[start..start + 3], color(i, y, x), "image {i}, pixel {y}, {x}");
            }
        }
    }
}

#[test]
fn twenty_images_are_read_right_from_wherever_they_are() {
    for place in ["", "cifar10", UNPACKED, "cifar10/cifar-10-batches-bin"] {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join(place), &files());
        let dataset = read(folder.path()).unwrap();
        is_right(&dataset);
        assert_eq!(dataset.class_names, CLASS_NAMES);
    }
    for place in ["", "cifar10"] {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join(place), &[(ARCHIVE, tar_gz(&files()))]);
        is_right(&read(folder.path()).unwrap());
    }
}

#[test]
fn the_archive_is_downloaded_once_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let body = tar_gz(&files());
    let mirror = Mirror::serve(vec![("/cifar-10-binary.tar.gz", Reply::Whole(body.clone()))]);
    let load = |sum, mirrors: &[String]| from_mirrors(folder.path(), mirrors, Checksum::Archive(sum), false);
    let message = load("0", std::slice::from_ref(&mirror.url)).unwrap_err().to_string();
    assert!(message.starts_with("cannot download cifar-10-binary.tar.gz (http"), "{message}");
    assert!(
        message.contains("expected 0); put cifar-10-binary.tar.gz, or the .bin files in it, into"),
        "{message}"
    );
    is_right(&load(sha256(&body), &[mirror.url]).unwrap());
    is_right(&load("0", &[]).unwrap());
    assert!(folder.path().join("cifar10/cifar-10-binary.tar.gz").is_file());
}

#[test]
fn names_are_those_beside_the_files() {
    let named = |text: &str| {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &[files(), vec![(NAMES, text.as_bytes().to_vec())]].concat());
        read(folder.path())
    };
    assert_eq!(named("a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n").unwrap().class_names[9], "j");
    for (text, problem) in [
        ("a\nb\n", "batches.meta.txt: 2 lines, expected a name for each of 10 classes"),
        ("a\na\nc\nd\ne\nf\ng\nh\ni\nj\n", "line 2 has a name that is there already: a"),
    ] {
        let message = named(text).unwrap_err().to_string();
        assert!(message.ends_with(problem), "{message}");
    }
}

/// The message about files of which one was spoilt, in a folder and in the archive.
fn spoilt(name: &str, spoil: impl Fn(&mut Vec<u8>)) -> String {
    let mut files = files();
    let (_, bytes) = files.iter_mut().find(|(other, _)| *other == name).unwrap();
    spoil(bytes);
    let [loose, packed] = [files.clone(), vec![(ARCHIVE, tar_gz(&files))]].map(|files| {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &files);
        let message = read(folder.path()).unwrap_err().to_string();
        message.replace(&folder.path().display().to_string(), "")
    });
    assert_eq!(packed, format!("/{ARCHIVE}{loose}"));
    assert!(loose.starts_with(&format!("/{name}: ")) && !loose.contains('\n'), "{loose}");
    loose
}

#[test]
fn broken_files_are_named() {
    for name in [TRAIN[0], TRAIN[4], TEST] {
        let cut = spoilt(name, |bytes| bytes.truncate(bytes.len() - 1));
        assert!(cut.contains("expected rows of 3073") && cut.contains("cut short"), "{cut}");
        spoilt(name, |bytes| bytes.push(0));
        spoilt(name, Vec::clear);
    }
    let cut = spoilt(TEST, |bytes| bytes.truncate(bytes.len() - 1));
    assert!(cut.contains(": 15364 bytes, "), "{cut}");
    let other = spoilt(TRAIN[1], |bytes| *bytes = vec![1; 3 * 3074]);
    assert!(other.contains("CIFAR-100, which has 100 classes"), "{other}");
    let label = spoilt(TRAIN[2], |bytes| bytes[3073] = 10);
    assert!(label.ends_with("label 10 of image 1, expected 0 to 9"), "{label}");
}

#[test]
fn a_missing_file_and_a_broken_archive_are_named() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &files()[1..]);
    let message = read(folder.path()).unwrap_err().to_string();
    let missing = format!("{}: is missing; ", folder.path().join(TRAIN[0]).display());
    assert!(message.starts_with(&missing), "{message}");
    // A file that cannot be looked at is not absent: nothing is downloaded beside it.
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join(ARCHIVE);
    std::os::unix::fs::symlink(&link, &link).unwrap();
    let message = read(folder.path()).unwrap_err().to_string();
    assert!(message.starts_with(&link.display().to_string()), "{message}");
    let whole = tar_gz(&files());
    for (bytes, problem) in [
        (tar_gz(&files()[..5]), "holds no test_batch.bin"),
        (
            tar_gz(&[(TRAIN_OF_100, vec![1; ROW_OF_100])]),
            "cifar-10-binary.tar.gz: is of CIFAR-100, which has 100",
        ),
        (tar_gz(&[files(), files()].concat()), "holds data_batch_1.bin twice"),
        (whole[..whole.len() / 2].to_vec(), "cifar-10-binary.tar.gz: "),
        (b"<html>".to_vec(), "cifar-10-binary.tar.gz: "),
    ] {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &[(ARCHIVE, bytes)]);
        let message = read(folder.path()).unwrap_err().to_string();
        assert!(message.contains(problem), "{message}");
    }
}

#[test]
fn the_kind_of_100_classes_is_named_and_nothing_downloaded() {
    for place in ["", "cifar10"] {
        let folder = tempfile::tempdir().unwrap();
        let there = folder.path().join(place);
        write(&there, &[(TRAIN_OF_100, vec![1; 2 * ROW_OF_100]), ("test.bin", vec![1; ROW_OF_100])]);
        let message = read(folder.path()).unwrap_err().to_string();
        let expected =
            format!("{}: is of CIFAR-100, which has 100 classes; ", there.join("train.bin").display());
        assert!(message.starts_with(&expected), "{message}");
        // Its own files are read, whatever lies beside them.
        write(&there, &files());
        is_right(&read(folder.path()).unwrap());
    }
    // Another file of that name is nobody's.
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[(TRAIN_OF_100, vec![1; 100])]);
    let message = read(folder.path()).unwrap_err().to_string();
    assert!(message.starts_with("cannot download"), "{message}");
}

#[test]
fn a_copy_is_told_from_the_published_set() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &files());
    let mut train = read(folder.path()).unwrap().train;
    assert!(note(&train).unwrap().contains("not CIFAR-10 as published"));
    train.labels = vec![6; ROWS[0]];
    train.pixels = vec![0; ROWS[0] * IMAGE.values()].into();
    assert!(note(&train).is_some());
    for (at, red) in FIRST.1.into_iter().enumerate() {
        train.pixels[3 * at] = red;
    }
    assert_eq!(note(&train), None);
}
