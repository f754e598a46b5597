//! The published data sets, a row each: files, checksums, class names, mirrors.

use super::checksum::Checksum;
use super::idx::Kind;

/// Every published set has as many.
pub const CLASSES: usize = 10;

/// A published data set of four IDX files.
#[derive(Clone, Copy, Debug)]
pub struct Published {
    /// As on the command line; also the name of its folder.
    pub name: &'static str,
    /// What it is, in a few words.
    pub meaning: &'static str,
    /// Images and labels to train on, then those to test on.
    pub files: [PublishedFile; 4],
    /// What the classes are called; empty where their numbers are their names.
    pub class_names: &'static [&'static str],
    /// Whether the pixels that a label replaces are blank in nearly every training image.
    pub blank_under_label: bool,
    /// Where torchvision keeps the files, below its root.
    pub torchvision: &'static str,
    /// Addresses of folders that hold the files as .gz.
    pub mirrors: &'static [&'static str],
}

impl PartialEq for Published {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Published {}

/// One of its files.
#[derive(Clone, Copy, Debug)]
pub struct PublishedFile {
    /// The standard name, without .gz.
    pub stem: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// The sizes its header gives.
    pub sizes: &'static [u32],
    /// What tells it from any other file.
    pub checksum: Checksum<'static>,
}

/// The standard names, in the order of [`Published::files`].
pub const STEMS: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// The name of a file of images whose channels are a dimension of their own.
pub fn with_channels(stem: &str) -> String {
    stem.replace("idx3", "idx4")
}

/// All of them, as help lists them.
pub const SETS: &[&Published] = &[&MNIST, &FASHION_MNIST, &KMNIST];

/// MNIST, by Y. LeCun, C. Cortes and C. Burges.
pub const MNIST: Published = Published {
    name: "mnist",
    meaning: "70,000 handwritten digits of 28×28 pixels, downloaded once.",
    files: files([
        Checksum::Contents("ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
        Checksum::Contents("65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
        Checksum::Contents("0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
        Checksum::Contents("ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    ]),
    class_names: &[],
    blank_under_label: true,
    torchvision: "MNIST/raw",
    mirrors: &[
        "https://storage.googleapis.com/cvdf-datasets/mnist",
        "https://ossci-datasets.s3.amazonaws.com/mnist",
    ],
};

/// Fashion-MNIST, by H. Xiao, K. Rasul and R. Vollgraf (arXiv 1708.07747).
pub const FASHION_MNIST: Published = Published {
    name: "fashion-mnist",
    meaning: "70,000 pieces of clothing of 28×28 pixels, downloaded once.",
    files: files([
        Checksum::Contents("c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
        Checksum::Contents("bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
        Checksum::Archive("346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
        Checksum::Contents("0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
    ]),
    class_names: &[
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ],
    blank_under_label: true,
    torchvision: "FashionMNIST/raw",
    mirrors: &["https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion"],
};

/// Kuzushiji-MNIST, by the ROIS-DS Center for Open Data in the Humanities (arXiv 1812.01718).
pub const KMNIST: Published = Published {
    name: "kmnist",
    meaning: "70,000 cursive Japanese letters of 28×28 pixels, downloaded once.",
    files: files([
        Checksum::Archive("51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"),
        Checksum::Contents("2a16eeae62da984b8bd24fa32e31d47291f01dac3fe84d5594f304f71e7d374b"),
        Checksum::Contents("76fbd229ce87db80dd281af5e6670de4ad0e42fb30a7bd643972994c47c1f42e"),
        Checksum::Contents("a11dc742be8e781a40a92f53d6a4957e7b7d36df2faa097659131ebfd8fd60c6"),
    ]),
    class_names: &["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"],
    blank_under_label: false,
    torchvision: "KMNIST/raw",
    mirrors: &["https://codh.rois.ac.jp/kmnist/dataset/kmnist"],
};

const fn files(
    [train_images, train_labels, test_images, test_labels]: [Checksum<'static>; 4],
) -> [PublishedFile; 4] {
    const fn file(
        stem: &'static str,
        kind: Kind,
        sizes: &'static [u32],
        checksum: Checksum<'static>,
    ) -> PublishedFile {
        PublishedFile { stem, kind, sizes, checksum }
    }
    [
        file(STEMS[0], Kind::Images, &[60_000, 28, 28], train_images),
        file(STEMS[1], Kind::Labels, &[60_000], train_labels),
        file(STEMS[2], Kind::Images, &[10_000, 28, 28], test_images),
        file(STEMS[3], Kind::Labels, &[10_000], test_labels),
    ]
}
