#![allow(clippy::unwrap_used)]
use std::fs;
use std::io::Write;

use proptest::prelude::*;

use super::super::fixtures::idx;
use super::*;

fn png(path: &Path, height: u32, width: u32, pixels: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut encoder = png::Encoder::new(fs::File::create(path).unwrap(), width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(pixels).unwrap();
}

fn read_default(source: &Path) -> Result<Imported, String> {
    read(source, &Options::default()).map_err(|error| error.to_string())
}

/// An array as NumPy writes it.
fn npy(descr: &str, fortran: bool, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}");
    let header = format!("{header:<117}\n");
    [b"\x93NUMPY\x01\0", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), bytes].concat()
}

fn npz(path: &Path, arrays: &[(&str, Vec<u8>)]) {
    let mut zip = zip::ZipWriter::new(fs::File::create(path).unwrap());
    for (name, bytes) in arrays {
        let options =
            zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        zip.start_file(format!("{name}.npy"), options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

#[test]
fn class_folders_with_and_without_a_test_set() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for class in ["10", "2", "cat"] {
        for image in 0..5 {
            png(&root.join(format!("whole/{class}/{image}.png")), 1, 2, &[image, class.len() as u8]);
            png(&root.join(format!("apart/train/{class}/{image}.png")), 1, 2, &[image, 9]);
        }
        png(&root.join(format!("apart/test/{class}/a.png")), 1, 2, &[7, 7]);
    }
    let whole = read_default(&root.join("whole")).unwrap();
    // Numbers in their order, then words.
    assert_eq!(whole.class_names, ["2", "10", "cat"]);
    // Every fifth image of a class is a test image.
    assert_eq!((whole.train.len(), whole.test.labels.as_slice()), (12, [0, 1, 2].as_slice()));
    assert_eq!(*whole.test.pixels, [4, 1, 4, 2, 4, 3]);
    let apart = read_default(&root.join("apart")).unwrap();
    assert_eq!((apart.train.len(), apart.test.len()), (15, 3));
    fs::create_dir(root.join("apart/test/dog")).unwrap();
    assert!(
        read_default(&root.join("apart")).err().unwrap().contains("dog: expected a class that training has")
    );
}

#[test]
fn a_folder_whose_name_does_not_survive_is_no_class() {
    let folder = tempfile::tempdir().unwrap();
    for class in ["cat", "cat ", "dog"] {
        png(&folder.path().join(format!("{class}/1.png")), 1, 2, &[1, 2]);
    }
    let message = read_default(folder.path()).err().unwrap();
    assert!(message.contains("cat : is no name of a class"), "{message}");
}

#[test]
fn pictures_of_several_sizes_need_one() {
    let folder = tempfile::tempdir().unwrap();
    for class in ["a", "b"] {
        for image in 0..5 {
            png(&folder.path().join(format!("{class}/{image}.png")), 2, 2, &[image; 4]);
        }
    }
    png(&folder.path().join("b/9.png"), 4, 2, &[9; 8]);
    let message = read_default(folder.path()).err().unwrap();
    assert!(message.contains("b/9.png: 4×2 pixels, but others have 2×2; --size 2x2"), "{message}");
    let size = Some(ImageShape::gray(4, 4));
    let imported = read(folder.path(), &Options { size, ..Options::default() }).unwrap();
    assert_eq!(imported.train.pixels.len(), imported.train.len() * 16);
    assert_eq!(imported.train.pixels[..16], [0; 16]);
}

#[test]
fn tables_with_and_without_a_header() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.csv");
    let rows = |labels: [&str; 2]| -> String {
        (0..10).map(|row| format!("{},{row},1,2,255\n", labels[row % 2])).collect()
    };
    for (text, names) in [
        (format!("label,pixel0,pixel1,pixel2,pixel3\n{}", rows(["0", "1"])), vec![]),
        // As pandas numbers its columns.
        (format!("Label,0,1,2,3\n{}", rows(["0", "1"])), vec![]),
        (rows(["3", "1"]), vec!["1", "2", "3"]),
        (rows(["cat", "ant"]), vec!["ant", "cat"]),
        (rows(["y", "n"]), vec!["n", "y"]),
    ] {
        fs::write(&path, text).unwrap();
        let imported = read_default(&path).unwrap();
        assert_eq!(imported.class_names, names);
        assert_eq!(imported.shape, ImageShape::gray(2, 2));
        assert_eq!((imported.train.len(), imported.test.len()), (8, 2));
        assert_eq!(imported.train.pixels[..4], [0, 1, 2, 255]);
    }
    fs::write(&path, "a,label,b,c,d\n1,0,2,3,4\n5,1,6,7,8\n1,0,1,1,1\n1,1,1,1,1\n1,0,1,1,1\n1,1,1,1,1\n1,0,1,1,1\n1,1,1,1,1\n1,0,1,1,1\n1,1,1,1,1\n")
        .unwrap();
    assert_eq!(read_default(&path).unwrap().train.pixels[..8], [1, 2, 3, 4, 5, 6, 7, 8]);
    for (text, part) in [
        // The first row is none of names, where some of it are numbers.
        (
            format!("0,1,nan,3,4\n{}", rows(["0", "1"])),
            "x.csv: line 1, column 3: \"nan\", expected brightness from 0 to 255",
        ),
        (format!("0,1,,3,4\n{}", rows(["0", "1"])), "line 1, column 3: \"\", expected"),
        ("0,1,2,3,256\n".to_owned(), "line 1, column 5: \"256\", expected"),
        (rows(["0", "0"]), "x.csv: every label is 0, expected at least 2 classes"),
        (
            "0,1,2,3,4\n1,1,2,3,-1\n".to_owned(),
            "x.csv: line 2, column 5: \"-1\", expected brightness from 0 to 255",
        ),
        ("0,1,2,3,4\n1,1,2\n".to_owned(), "x.csv: CSV error"),
        ("0,1,2,3\n1,1,2,3\n".to_owned(), "3 pixels a row; --size HxW"),
        ("pixel0,pixel1,pixel2,pixel3\n1,2,3,4\n".to_owned(), "has no column of labels"),
        (String::new(), "0 pixels a row"),
    ] {
        fs::write(&path, text).unwrap();
        let message = read_default(&path).err().unwrap_or_default();
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn arrays_of_every_layout() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npz");
    // Two images of 2×3: 0 … 5 and 6 … 11.
    let pixels: Vec<u8> = (0..12).collect();
    let fortran: Vec<u8> = [0, 6, 3, 9, 1, 7, 4, 10, 2, 8, 5, 11].to_vec();
    let wide: Vec<u8> = pixels.iter().flat_map(|&value| i16::from(value).to_be_bytes()).collect();
    let labels = || npy("<i8", false, "(2,)", &[0i64.to_le_bytes(), 1i64.to_le_bytes()].concat());
    for images in [
        npy("|u1", false, "(2, 2, 3)", &pixels),
        npy("|u1", true, "(2, 2, 3)", &fortran),
        npy(">i2", false, "(2, 2, 3, 1)", &wide),
        npy("|u1", false, "(2, 1, 2, 3)", &pixels),
    ] {
        npz(
            &path,
            &[("x_train", images.clone()), ("y_train", labels()), ("x_test", images), ("y_test", labels())],
        );
        let imported = read_default(&path).unwrap();
        assert_eq!(imported.shape, ImageShape::gray(2, 3));
        assert_eq!(
            (imported.train.pixels.as_slice(), imported.test.labels.as_slice()),
            (pixels.as_slice(), [0, 1].as_slice())
        );
    }
    let apart = |images: Vec<u8>, labels: Vec<u8>, test_labels: Vec<u8>| {
        let names = ["x_train", "y_train", "x_test", "y_test"];
        let arrays = [images.clone(), labels, images, test_labels];
        npz(&path, &names.into_iter().zip(arrays).collect::<Vec<_>>());
        read_default(&path)
    };
    let color = npy("|u1", false, "(2, 2, 1, 3)", &[255, 0, 0, 0, 255, 0].repeat(2));
    assert_eq!(*apart(color, labels(), labels()).unwrap().train.pixels, [76, 150, 76, 150]);
    let truths = npy("|b1", false, "(2, 1, 2)", &[0, 1, 1, 0]);
    assert_eq!(*apart(truths.clone(), labels(), labels()).unwrap().train.pixels, [0, 255, 255, 0]);
    let other = npy("|u1", false, "(2,)", &[1, 2]);
    let message = apart(truths.clone(), labels(), other).err().unwrap();
    assert!(
        message.ends_with("label 2 of test image 1, expected one that a training image has"),
        "{message}"
    );
    let floats = npy("<f8", false, "(2,)", &[0; 16]);
    let message = apart(truths, floats, labels()).err().unwrap();
    assert!(message.contains("y_train has values of type <f8") && !message.contains("255"), "{message}");
}

#[test]
fn arrays_that_are_wrong_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npz");
    let labels = || npy("|u1", false, "(2,)", &[0, 1]);
    for (images, part) in [
        (
            npy("<f4", false, "(2, 1, 1)", &[0; 8]),
            "array images has values of type <f4, expected whole numbers",
        ),
        (npy("|O", false, "(2, 1, 1)", &[0; 8]), "expected whole numbers"),
        (npy("<i2", false, "(2, 1, 1)", &[0, 1, 0, 1]), "array images holds 256, expected brightness"),
        (npy("|u1", false, "(2, 1, 1)", &[0]), "array images is cut short: 1 values, expected 2"),
        (npy("|u1", false, "(2, 1, 1, 1, 1)", &[0, 0]), "array images has shape [2, 1, 1, 1, 1]"),
        (
            npy("|u1", false, "(3, 1, 1)", &[0; 3]),
            "array images has 3 images, expected 2 as there are labels",
        ),
        (
            npy("|u1", false, "(2, 99999999999, 99999999999)", &[]),
            "has images of 99999999999×99999999999 pixels",
        ),
        (npy("|u1", false, "(2, 4000, 4000)", &[]), "is cut short: 0 values"),
        (npy("|u1", false, "(2, 0, 4)", &[]), "has images of 0×4 pixels"),
        (b"no array".to_vec(), "array images is not readable"),
    ] {
        npz(&path, &[("images", images), ("labels", labels())]);
        let message = read_default(&path).err().unwrap();
        assert!(message.contains(part), "{message}");
    }
    npz(&path, &[("weights", labels())]);
    assert!(read_default(&path).err().unwrap().contains("holds weights, expected x_train"));
    fs::write(&path, "no archive").unwrap();
    assert!(read_default(&path).err().unwrap().contains("not a readable .npz"));
}

/// Writes four IDX files; images of 2×3.
fn family(folder: &Path, stems: [&str; 4], labels: &[Vec<u8>; 2]) {
    fs::create_dir_all(folder).unwrap();
    for split in 0..2 {
        let count = 2;
        let pixels: Vec<u8> = (0..count * 6).map(|value| value as u8).collect();
        fs::write(folder.join(stems[2 * split]), idx(0x0803, &[count, 2, 3], &pixels)).unwrap();
        fs::write(folder.join(stems[2 * split + 1]), &labels[split]).unwrap();
    }
}

#[test]
fn emnist_is_turned_upright_and_counted_from_0() {
    let folder = tempfile::tempdir().unwrap();
    let stems = [
        "emnist-letters-train-images-idx3-ubyte",
        "emnist-letters-train-labels-idx1-ubyte",
        "emnist-letters-test-images-idx3-ubyte",
        "emnist-letters-test-labels-idx1-ubyte",
    ];
    let labels = idx(0x0801, &[2], &[1, 3]);
    family(&folder.path().join("gzip"), stems, &[labels.clone(), labels]);
    let imported = read_default(folder.path()).unwrap();
    assert_eq!(
        (imported.train.labels.as_slice(), imported.shape),
        ([0, 2].as_slice(), ImageShape::gray(3, 2))
    );
    assert_eq!(imported.train.pixels[..6], [0, 3, 1, 4, 2, 5]);
    assert_eq!(imported.class_names[..3], ["Aa", "Bb", "Cc"]);
    assert_eq!(imported.notes.len(), 2);
    fs::write(folder.path().join("gzip/emnist-letters-mapping.txt"), "1 88 120\n2 89\n3 90\n").unwrap();
    assert_eq!(read_default(folder.path()).unwrap().class_names, ["Xx", "Y", "Z"]);
    // Beside another part, one has to be chosen.
    let digits = stems.map(|stem| stem.replace("letters", "digits"));
    let labels = idx(0x0801, &[2], &[0, 1]);
    family(&folder.path().join("gzip"), [0, 1, 2, 3].map(|i| digits[i].as_str()), &[labels.clone(), labels]);
    assert!(read_default(folder.path()).err().unwrap().contains("--split: digits, letters"));
    let split = |name: &str| read(folder.path(), &Options { split: Some(name.into()), ..Options::default() });
    assert_eq!(split("digits").unwrap().train.labels, [0, 1]);
    assert!(split("byclass").err().unwrap().to_string().contains("has no part byclass"));
}

#[test]
fn qmnist_and_roots_of_torchvision() {
    let folder = tempfile::tempdir().unwrap();
    let stems = [
        "qmnist-train-images-idx3-ubyte",
        "qmnist-train-labels-idx2-int",
        "qmnist-test-images-idx3-ubyte",
        "qmnist-test-labels-idx2-int",
    ];
    let rows: Vec<u8> = [4u32, 1, 2, 7, 1, 2].iter().flat_map(|value| value.to_be_bytes()).collect();
    let labels = idx(0x0c02, &[2, 3], &rows);
    family(&folder.path().join("QMNIST/raw"), stems, &[labels.clone(), labels]);
    // Counted from 4 as it is here: only the whole set has all digits.
    assert_eq!(read_default(folder.path()).unwrap().train.labels, [0, 3]);
    let labels = idx(0x0801, &[2], &[0, 1]);
    family(&folder.path().join("KMNIST/raw"), super::super::published::STEMS, &[labels.clone(), labels]);
    assert!(read_default(folder.path()).err().unwrap().contains("holds several data sets"));
    let kmnist = || read_default(&folder.path().join("KMNIST")).unwrap();
    assert_eq!(kmnist().class_names[..3], ["o", "ki", "su"]);
    // A part without class 0 is no set that is counted from 1.
    let labels = idx(0x0801, &[2], &[1, 2]);
    let stems = super::super::published::STEMS;
    family(&folder.path().join("KMNIST/raw"), stems, &[labels.clone(), labels]);
    assert_eq!((kmnist().train.labels, &*kmnist().class_names[1]), (vec![1, 2], "ki"));
    // Names that lie beside the files are those meant.
    fs::write(folder.path().join("KMNIST/raw/classes.txt"), "a\nb\nc\n").unwrap();
    assert_eq!(kmnist().class_names, ["a", "b", "c"]);
}

#[test]
fn what_is_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    for class in ["ant", "bee"] {
        for image in 0..10 {
            png(
                &folder.path().join(format!("source/{class}/{image}.png")),
                1,
                2,
                &[image % 5, class.len() as u8],
            );
        }
    }
    let target = folder.path().join("made/set");
    let mut imported = read_default(&folder.path().join("source")).unwrap();
    let notes = std::mem::take(&mut imported.notes);
    let dataset = imported.into_dataset(&target);
    write(&dataset, &target).unwrap();
    let read_back = Dataset::load(&super::super::Source::Idx(target.clone()), "", false).unwrap();
    assert_eq!(read_back, dataset);
    let report = Report::new(&dataset, notes);
    // 0 to 4 twice in each class, and the same in both: the fifth ones are test images.
    let duplicates = Duplicates { in_train: 12, in_test: 3, test_in_train: 0, under_another_label: 10 };
    assert_eq!(report.duplicates, duplicates);
    assert_eq!(report.info.sha256, read_back.describe().sha256);
    assert!(write(&dataset, &target).unwrap_err().to_string().contains("is not empty"));
    let left: Vec<_> = fs::read_dir(folder.path().join("made")).unwrap().collect();
    assert_eq!(left.len(), 1);
}

#[test]
fn what_is_nothing_known_is_told() {
    let folder = tempfile::tempdir().unwrap();
    assert!(read_default(folder.path()).err().unwrap().contains("holds no data that are known"));
    fs::write(folder.path().join("x.parquet"), "").unwrap();
    assert!(
        read_default(&folder.path().join("x.parquet"))
            .err()
            .unwrap()
            .contains("is no .npz, no .csv and no folder")
    );
    assert!(read_default(Path::new("nowhere")).is_err());
}

proptest! {
    #[test]
    fn arbitrary_arrays_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0usize..140, at in 0usize..140, value: u8) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npz");
        let mut array = npy("<u2", true, "(2, 1, 1)", &bytes);
        let at = at % array.len();
        array[at] = value;
        array.truncate(array.len() - cut.min(array.len()));
        npz(&path, &[("images", array.clone()), ("labels", array)]);
        let _ = read_default(&path);
    }
}
