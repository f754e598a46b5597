#![allow(clippy::unwrap_used)]
use std::fs;
use std::io::Write;

use super::super::fixtures::{self, Mirror, Reply, gzip, sha256};
use super::*;

/// A published set of three training and two test images of 1×2 pixels.
struct Tiny {
    set: Published,
    contents: [Vec<u8>; 4],
}

const PATHS: [&str; 4] = [
    "/train-images-idx3-ubyte.gz",
    "/train-labels-idx1-ubyte.gz",
    "/t10k-images-idx3-ubyte.gz",
    "/t10k-labels-idx1-ubyte.gz",
];

impl Tiny {
    fn new() -> Self {
        const SIZES: [&[u32]; 4] = [&[3, 1, 2], &[3], &[2, 1, 2], &[2]];
        let contents = [
            fixtures::idx(0x0803, SIZES[0], &[1, 2, 3, 4, 5, 6]),
            fixtures::idx(0x0801, SIZES[1], &[0, 1, 9]),
            fixtures::idx(0x0803, SIZES[2], &[7, 8, 9, 10]),
            fixtures::idx(0x0801, SIZES[3], &[1, 1]),
        ];
        let mut set = published::MNIST;
        for ((file, sizes), contents) in set.files.iter_mut().zip(SIZES).zip(&contents) {
            file.sizes = sizes;
            file.checksum = Checksum::Contents(sha256(contents));
        }
        Self { set, contents }
    }

    /// The same files, known by their archives only and under a name that is not MNIST's.
    fn fashion() -> Self {
        let mut tiny = Self::new();
        tiny.set.name = published::FASHION_MNIST.name;
        for (file, contents) in tiny.set.files.iter_mut().zip(&tiny.contents) {
            file.checksum = Checksum::Archive(sha256(&gzip(contents)));
        }
        tiny
    }

    fn mirror(&self) -> Mirror {
        let replies = self.contents.iter().map(|bytes| Reply::Whole(gzip(bytes)));
        Mirror::serve(PATHS.into_iter().zip(replies).collect())
    }

    fn write(&self, folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        for (stem, contents) in published::STEMS.iter().zip(&self.contents) {
            fs::write(folder.join(stem), contents).unwrap();
        }
    }

    fn load(&self, folder: &Path, mirrors: &[String]) -> Result<Dataset, DataError> {
        from_published(&self.set, folder, mirrors, false)
    }
}

#[test]
fn missing_files_are_downloaded_once() {
    let (tiny, folder) = (Tiny::new(), tempfile::tempdir().unwrap());
    let mirror = tiny.mirror();
    let dataset = tiny.load(folder.path(), std::slice::from_ref(&mirror.url)).unwrap();
    assert_eq!((dataset.image, dataset.classes), (ImageShape::gray(1, 2), 10));
    assert_eq!(*dataset.train.pixels, [1, 2, 3, 4, 5, 6]);
    assert_eq!(dataset.train.labels, [0, 1, 9]);
    assert_eq!(dataset.test.image(1), Some([9, 10].as_slice()));
    assert_eq!(*mirror.asked.lock().unwrap(), [PATHS[1], PATHS[3], PATHS[0], PATHS[2]]);
    assert_eq!(tiny.load(folder.path(), &[]).unwrap(), dataset);
    assert_eq!(fs::read_dir(folder.path().join("mnist")).unwrap().count(), 4);
}

#[test]
fn files_in_the_folder_or_its_subfolder_need_no_download() {
    let tiny = Tiny::new();
    for place in ["", "mnist"] {
        let folder = tempfile::tempdir().unwrap();
        tiny.write(&folder.path().join(place));
        assert_eq!(tiny.load(folder.path(), &[]).unwrap().test.len(), 2);
    }
}

#[test]
fn only_the_missing_file_is_downloaded() {
    let (tiny, folder) = (Tiny::new(), tempfile::tempdir().unwrap());
    tiny.write(folder.path());
    fs::remove_file(folder.path().join(published::STEMS[2])).unwrap();
    let mirror = tiny.mirror();
    tiny.load(folder.path(), std::slice::from_ref(&mirror.url)).unwrap();
    assert_eq!(*mirror.asked.lock().unwrap(), [PATHS[2]]);
}

#[test]
fn a_file_that_was_changed_is_an_error_that_names_it() {
    let (mut tiny, folder) = (Tiny::new(), tempfile::tempdir().unwrap());
    tiny.contents[0][16] ^= 1;
    tiny.write(folder.path());
    let message = tiny.load(folder.path(), &[]).unwrap_err().to_string();
    let path = folder.path().join(published::STEMS[0]);
    assert!(message.starts_with(&path.display().to_string()), "{message}");
    assert!(message.contains(sha256(&tiny.contents[0])), "{message}");
    assert!(message.contains("expected"), "{message}");
}

#[test]
fn fashion_mnist_is_checked_by_header_when_put_by_hand() {
    let (mut tiny, folder) = (Tiny::fashion(), tempfile::tempdir().unwrap());
    tiny.write(folder.path());
    assert_eq!(tiny.load(folder.path(), &[]).unwrap().name, "fashion-mnist");
    tiny.contents[1] = fixtures::idx(0x0801, &[2], &[0, 1]);
    tiny.write(folder.path());
    let message = tiny.load(folder.path(), &[]).unwrap_err().to_string();
    assert!(message.ends_with("train-labels-idx1-ubyte: sizes are 2, expected 3"), "{message}");
}

#[test]
fn a_label_above_nine_is_an_error() {
    let (mut tiny, folder) = (Tiny::fashion(), tempfile::tempdir().unwrap());
    tiny.contents[3] = fixtures::idx(0x0801, &[2], &[3, 10]);
    tiny.write(folder.path());
    let message = tiny.load(folder.path(), &[]).unwrap_err().to_string();
    assert!(message.ends_with("label 10 of image 1, expected 0 to 9"), "{message}");
}

#[test]
fn mnist_is_never_taken_for_fashion_mnist() {
    let Some(mnist) = std::env::var_os("FF_DATA_DIR") else {
        // Not eprintln!, which the test harness hides.
        writeln!(std::io::stderr(), "skipped: FF_DATA_DIR not set").unwrap();
        return;
    };
    let mnist = Path::new(&mnist);
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("fashion-mnist");
    let copy = |to: &Path| {
        for stem in published::STEMS {
            let from = idx::find(&mnist.join("mnist"), stem).unwrap();
            let from = from.or_else(|| idx::find(mnist, stem).unwrap());
            fs::copy(from.unwrap(), to.join(stem)).unwrap();
        }
    };
    let message =
        || from_published(&published::FASHION_MNIST, folder.path(), &[], false).unwrap_err().to_string();
    // Beside Fashion-MNIST's own folder it is no hindrance, inside it is a mistake.
    copy(folder.path());
    assert!(message().starts_with("cannot download train-labels-idx1-ubyte.gz"));
    fs::create_dir(&own).unwrap();
    copy(&own);
    assert!(message().ends_with("belongs to mnist, expected fashion-mnist"));
}

#[test]
fn any_other_images_are_no_published_set() {
    // As many images of the same size, in files of the same names: only their contents tell.
    let folder = tempfile::tempdir().unwrap();
    for file in &published::FASHION_MNIST.files {
        let values: u32 = file.sizes.iter().product();
        let magic = if file.kind == Kind::Images { 0x0803 } else { 0x0801 };
        let bytes = fixtures::idx(magic, file.sizes, &vec![1; values as usize]);
        fs::write(folder.path().join(file.stem), bytes).unwrap();
    }
    for set in published::SETS {
        let message = from_published(set, folder.path(), &[], false).unwrap_err().to_string();
        assert!(message.contains("SHA-256 of the uncompressed contents is"), "{message}");
    }
}

#[test]
fn a_root_of_torchvision_needs_no_download() {
    let (tiny, folder) = (Tiny::new(), tempfile::tempdir().unwrap());
    tiny.write(&folder.path().join("MNIST/raw"));
    assert_eq!(tiny.load(folder.path(), &[]).unwrap().train.len(), 3);
}
