//! The data sets that can be downloaded: their files, checksums and mirrors.

use super::checksum::Checksum;
use super::idx::Kind;

/// Every published set has as many.
pub const CLASSES: usize = 10;

/// A published data set of four IDX files.
#[derive(Clone, Copy, Debug)]
pub struct Published {
    /// As on the command line; also the name of its folder.
    pub name: &'static str,
    /// Images and labels to train on, then those to test on.
    pub files: [PublishedFile; 4],
    /// Addresses of folders that hold the files as .gz.
    pub mirrors: &'static [&'static str],
}

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

/// MNIST, by Y. LeCun, C. Cortes and C. Burges.
pub const MNIST: Published = Published {
    name: "mnist",
    files: files([
        Checksum::Contents("ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
        Checksum::Contents("65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
        Checksum::Contents("0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
        Checksum::Contents("ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    ]),
    mirrors: &[
        "https://storage.googleapis.com/cvdf-datasets/mnist",
        "https://ossci-datasets.s3.amazonaws.com/mnist",
    ],
};

/// Fashion-MNIST, by H. Xiao, K. Rasul and R. Vollgraf.
pub const FASHION_MNIST: Published = Published {
    name: "fashion-mnist",
    files: files([
        Checksum::Archive("3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
        Checksum::Archive("a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        Checksum::Archive("346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
        Checksum::Archive("67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
    ]),
    mirrors: &[
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
    ],
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
