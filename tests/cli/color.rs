//! Images in color: CIFAR-10's files, IDX files of four dimensions, pictures.

use std::fs;
use std::io::BufReader;
use std::path::Path;

use png::ColorType;
use safetensors::SafeTensors;
use serde_json::{Value, json};

use crate::idx;
use crate::place::{Place, keys};

const SIDE: usize = 32;

/// The color of a pixel of image `i`: neighbours differ in every channel.
fn color(i: usize, y: usize, x: usize) -> [u8; 3] {
    [(i * 11 + 3 * x) as u8, (i * 7 + 3 * y + x) as u8, (200 - i + 2 * x + y) as u8]
}

/// The values of image `i`, channels last.
fn image(i: usize) -> Vec<u8> {
    (0..SIDE * SIDE).flat_map(|at| color(i, at / SIDE, at % SIDE)).collect()
}

/// The same values, plane by plane.
fn planes(i: usize) -> Vec<u8> {
    (0..3).flat_map(|c| (0..SIDE * SIDE).map(move |at| color(i, at / SIDE, at % SIDE)[c])).collect()
}

/// CIFAR-10's files with 20 images: three in each training batch, five to test; label i % 10.
fn write_cifar10(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let rows = |images: std::ops::Range<usize>| {
        images.flat_map(|i| [vec![(i % 10) as u8], planes(i)].concat()).collect::<Vec<u8>>()
    };
    for batch in 0..5 {
        let name = format!("data_batch_{}.bin", batch + 1);
        fs::write(folder.join(name), rows(3 * batch..3 * batch + 3)).unwrap();
    }
    fs::write(folder.join("test_batch.bin"), rows(15..20)).unwrap();
}

/// What a run on those files is asked for.
const TRAIN: &str =
    "train 12 8 --dataset cifar10 --data-dir data --num-epochs 2 --batch-size 5 --backend cpu --log-dir run";

fn trained(options: &str) -> Place {
    let place = Place::new();
    write_cifar10(&place.at("data"));
    place.done(&format!("{TRAIN} {options}"));
    place
}

fn write_png(place: &Place, name: &str, color: ColorType, data: &[u8]) {
    let mut encoder = png::Encoder::new(fs::File::create(place.at(name)).unwrap(), SIDE as u32, SIDE as u32);
    encoder.set_color(color);
    encoder.write_header().unwrap().write_image_data(data).unwrap();
}

/// The rows of a picture that is RGB.
fn rows_of_png(path: &Path) -> Vec<Vec<[u8; 3]>> {
    let mut reader = png::Decoder::new(BufReader::new(fs::File::open(path).unwrap())).read_info().unwrap();
    let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut rgb).unwrap();
    assert_eq!(info.color_type, ColorType::Rgb);
    let pixels: Vec<[u8; 3]> = rgb.as_chunks().0.to_vec();
    pixels.chunks(info.width as usize).map(<[_]>::to_vec).collect()
}

/// Whether the colors stand in a row one after the other, whatever smoothing put between them.
fn shows(row: &[[u8; 3]], colors: impl IntoIterator<Item = [u8; 3]>) -> bool {
    let mut rest = row.iter();
    colors.into_iter().all(|color| rest.any(|pixel| *pixel == color))
}

#[test]
fn twenty_images_are_the_same_in_the_files_the_results_and_the_figure() {
    let place = trained("--recipe contrast --set flips=true --set jitter=2");
    let info = place.json("data info cifar10 --data-dir data --json");
    assert_eq!((&info["height"], &info["width"], &info["channels"]), (&32.into(), &32.into(), &3.into()));
    assert_eq!((&info["train"]["count"], &info["test"]["count"]), (&15.into(), &5.into()));
    assert!(info["note"].as_str().unwrap().contains("not CIFAR-10 as published"), "{info}");
    let told = place.done("data info cifar10 --data-dir data").stdout;
    assert!(told.starts_with("cifar10: 32×32×3 pixels, 10 classes\n") && told.contains("\nnote: "), "{told}");
    // No pixel is blank.
    assert_eq!(place.config("run")["network"]["label"].as_str(), Some("prepend"));
    let evaluation: Value = serde_json::from_str(&place.read("run/evaluation.json")).unwrap();
    assert_eq!(keys(&evaluation)[..3], ["height", "width", "channels"]);
    let samples = evaluation["samples"].as_array().unwrap();
    assert_eq!(samples.len(), 5);
    for sample in samples {
        // Images 15 to 19 have labels 5 to 9.
        assert_eq!(sample["pixels"], json!(image(10 + sample["label"].as_u64().unwrap() as usize)));
    }
    let rows = rows_of_png(&place.at("run/figures/predictions.png"));
    for i in 15..20 {
        let first = |y| (0..SIDE).map(move |x| color(i, y, x));
        assert!(rows.iter().any(|row| shows(row, first(0))), "image {i} is not in the figure");
        assert!(rows.iter().any(|row| shows(row, first(SIDE - 1))), "image {i} is not in the figure");
        let mirrored = (0..SIDE).rev().map(|x| color(i, 0, x));
        assert!(!rows.iter().any(|row| shows(row, mirrored.clone())), "image {i} is turned around");
    }
    let fields = rows_of_png(&place.at("run/figures/receptive_fields.png"));
    let colored = |pixel: &&[u8; 3]| pixel.iter().max() != pixel.iter().min();
    assert!(fields.iter().flatten().filter(colored).count() > 10_000);
    let said = place.ff("eval run --data-dir data --json");
    assert_eq!(said.code, Some(0), "{}", said.stderr);
}

#[test]
fn a_gray_image_says_nothing_of_channels() {
    let place = Place::new();
    place.done(crate::place::SMALL);
    let evaluation: Value = serde_json::from_str(&place.read("run/evaluation.json")).unwrap();
    assert_eq!(keys(&evaluation)[..3], ["height", "width", "images"]);
    assert!(
        !String::from_utf8_lossy(&place.bytes("run/checkpoints/last.safetensors")).contains("channels = 1")
    );
    assert!(!place.done("data info digits --json").stdout.contains("channels"));
}

#[test]
fn pictures_and_idx_files_of_either_order_are_predicted_alike() {
    let place = trained("--recipe contrast");
    write_png(&place, "one.png", ColorType::Rgb, &image(16));
    place.write("last.idx", idx::file(&[1, 32, 32, 3], &image(16)));
    place.write("first.idx", idx::file(&[1, 3, 32, 32], &planes(16)));
    let scores = |name: &str| place.json(&format!("predict run {name} --json"))[0]["scores"].clone();
    assert_eq!(scores("last.idx"), scores("one.png"));
    assert_eq!(scores("first.idx"), scores("one.png"));
    // Gray is a color; opaque is no other picture.
    let gray: Vec<u8> = image(16).into_iter().step_by(3).collect();
    let each = |alpha: bool| {
        let pixel = |&value: &u8| [value, value, value, 255].into_iter().take(if alpha { 4 } else { 3 });
        gray.iter().flat_map(pixel).collect::<Vec<u8>>()
    };
    write_png(&place, "gray.png", ColorType::Grayscale, &gray);
    write_png(&place, "rgb.png", ColorType::Rgb, &each(false));
    write_png(&place, "rgba.png", ColorType::Rgba, &each(true));
    assert_eq!(scores("gray.png"), scores("rgb.png"));
    assert_eq!(scores("rgba.png"), scores("rgb.png"));
    assert_ne!(scores("rgb.png"), scores("one.png"));
    place.write("gray.idx", idx::file(&[1, 32, 32], &gray));
    let message = place.refused("predict run gray.idx");
    assert_eq!(message, "gray.idx: images are 32×32, but the network reads 32×32×3");
    assert_eq!(place.json("predict run one.png --fit --json")[0]["scores"], scores("one.png"));
}

#[test]
fn a_network_is_measured_on_images_with_its_channels() {
    let place = trained("--recipe unsupervised --set flips=true");
    let said = place.ff("eval run --data-dir data");
    assert!(said.stderr.contains("note: the images are not CIFAR-10 as published"), "{}", said.stderr);
    let summary: Value = serde_json::from_str(&place.read("run/summary.json")).unwrap();
    assert!(summary["data_note"].as_str().unwrap().ends_with("figures are of a copy"), "{summary}");
    let message = place.refused("eval run --dataset digits");
    assert_eq!(message, "--dataset digits: 8×8 images, but run was trained on 32×32×3");
    // As high and wide, but gray.
    fs::create_dir(place.at("plain")).unwrap();
    for (stem, count) in [("train", 12), ("t10k", 4)] {
        let labels: Vec<u8> = (0..count).map(|i| (i % 4) as u8).collect();
        let pixels = vec![7; labels.len() * SIDE * SIDE];
        let sizes = [count, SIDE as u32, SIDE as u32];
        place.write(&format!("plain/{stem}-images-idx3-ubyte"), idx::file(&sizes, &pixels));
        place.write(&format!("plain/{stem}-labels-idx1-ubyte"), idx::file(&[count], &labels));
    }
    let message = place.refused("eval run --dataset idx:plain");
    assert_eq!(message, "--dataset idx:plain: 32×32 images, but run was trained on 32×32×3");
    place.done("train 8 --dataset idx:plain --num-epochs 1 --batch-size 5 --backend cpu --log-dir gray");
    let message = place.refused("eval gray --dataset cifar10 --data-dir data");
    assert_eq!(message, "--dataset cifar10: 32×32×3 images, but gray was trained on 32×32");
    let summary: Value = serde_json::from_str(&place.read("gray/summary.json")).unwrap();
    assert!(summary.get("data_note").is_none(), "{summary}");
    place.write("color.idx", idx::file(&[1, 32, 32, 3], &image(1)));
    let message = place.refused("predict gray color.idx");
    assert_eq!(message, "color.idx: images are 32×32×3, but the network reads 32×32");
}

#[test]
fn other_data_are_looked_for_where_data_lie_and_not_beside_the_runs() {
    let place = trained("--recipe contrast");
    fs::create_dir_all(place.at("other/mnist")).unwrap();
    place.write("other/mnist/train-images-idx3-ubyte", "no IDX file");
    let mut program = place.program();
    let output =
        program.env("FF_DATA_DIR", place.at("other")).args(["eval", "run", "--dataset", "mnist"]).output();
    let message = String::from_utf8(output.unwrap().stderr).unwrap();
    assert!(message.contains(&place.at("other/mnist").display().to_string()), "{message}");
    assert!(!message.contains("data/mnist"), "{message}");
}

#[test]
fn a_local_layer_sees_all_channels_of_its_field() {
    let place = Place::new();
    write_cifar10(&place.at("data"));
    let train = |layers: &str, log_dir: &str| {
        place.done(&TRAIN.replace("12 8", layers).replace("run", log_dir));
        place.bytes(&format!("{log_dir}/checkpoints/last.safetensors"))
    };
    let local = |grid, field| {
        format!(
            "--recipe contrast --set layers=[{{kind='local',grid=[{grid},{grid}],stride=8,field={field},\
             channels=12}},{{kind='dense',units=8}}]"
        )
    };
    // A field of everything is a dense layer, in color too.
    let [whole, dense] = [train(&local(1, 32), "whole"), train("12 8 --recipe contrast", "dense")];
    let [whole, dense] = [&whole, &dense].map(|bytes| SafeTensors::deserialize(bytes).unwrap());
    for name in ["layers.0.weight", "layers.1.weight", "head.1.weight"] {
        assert!(whole.tensor(name).unwrap().data() == dense.tensor(name).unwrap().data(), "{name}");
    }
    // Ten labels before the image, and 8 × 8 pixels of red, green and blue.
    let patches = train(&local(4, 8), "patches");
    let patches = SafeTensors::deserialize(&patches).unwrap();
    assert_eq!(patches.tensor("layers.0.weight").unwrap().shape(), [10 + 8 * 8 * 3, 16 * 12]);
    let fields = rows_of_png(&place.at("patches/figures/receptive_fields.png"));
    let colored = |pixel: &&[u8; 3]| pixel.iter().max() != pixel.iter().min();
    assert!(fields.iter().flatten().filter(colored).count() > 10_000);
    let said = place.json("eval patches --data-dir data --json");
    assert_eq!(said["accuracy"], place.epochs("patches")[1]["accuracy"]);
    let message = place.refused(&TRAIN.replace("12 8", &local(3, 8)));
    assert!(message.contains("an image of 32×32 pixels has 32"), "{message}");
}

#[test]
fn a_file_that_was_cut_is_refused_before_anything_is_written() {
    let place = Place::new();
    write_cifar10(&place.at("data"));
    let mut bytes = place.bytes("data/test_batch.bin");
    bytes.pop();
    place.write("data/test_batch.bin", bytes);
    let message = place.refused(TRAIN);
    assert!(message.starts_with("data/test_batch.bin: 15364 bytes, expected rows of 3073"), "{message}");
}

#[test]
fn an_idx_folder_may_hold_colors_in_either_order() {
    let place = Place::new();
    let images = |order: fn(usize) -> Vec<u8>, range: std::ops::Range<usize>| {
        range.flat_map(order).collect::<Vec<u8>>()
    };
    for (folder, order, sizes, name) in
        [("last", image as fn(usize) -> Vec<u8>, [32, 32, 3], "idx4"), ("first", planes, [3, 32, 32], "idx3")]
    {
        fs::create_dir(place.at(folder)).unwrap();
        for (stem, range) in [("train", 0..12), ("t10k", 12..16)] {
            let count = range.len() as u32;
            let labels: Vec<u8> = range.clone().map(|i| (i % 4) as u8).collect();
            let sizes = [&[count], &sizes[..]].concat();
            place.write(
                &format!("{folder}/{stem}-images-{name}-ubyte"),
                idx::file(&sizes, &images(order, range)),
            );
            place.write(&format!("{folder}/{stem}-labels-idx1-ubyte"), idx::file(&[count], &labels));
        }
    }
    let [last, first] = ["last", "first"].map(|name| place.json(&format!("data info idx:{name} --json")));
    assert_eq!((&last["sha256"], &last["channels"]), (&first["sha256"], &3.into()));
    let message = {
        place.write("first/t10k-images-idx3-ubyte", idx::file(&[4, 32, 32], &[0; 4 * 32 * 32]));
        place.refused("data info idx:first")
    };
    let expected = "first/t10k-images-idx3-ubyte: images are 32×32, expected 32×32×3 as in first/train-images-idx3-ubyte";
    assert_eq!(message, expected);
}

#[test]
fn imported_pictures_keep_their_colors_when_asked() {
    let place = Place::new();
    for (class, range) in [("red", 0..6), ("green", 6..12)] {
        fs::create_dir_all(place.at(&format!("photos/{class}"))).unwrap();
        for i in range {
            write_png(&place, &format!("photos/{class}/{i:02}.png"), ColorType::Rgb, &image(i));
        }
    }
    let report = place.json("data import photos set --color --json");
    assert_eq!((&report["channels"], &report["train"]["count"]), (&3.into(), &10.into()));
    let images = place.bytes("set/train-images-idx4-ubyte");
    // Classes are in the order of their names: green's first picture is first.
    assert_eq!((&images[..4], &images[20..20 + 3072]), (&[0, 0, 8, 4][..], image(6).as_slice()));
    assert_eq!(place.json("data info idx:set --json")["sha256"], report["sha256"]);
    place.done("train 8 --dataset idx:set --num-epochs 1 --batch-size 5 --backend cpu --log-dir run");
    let small = place.json("data import photos small --color --size 16x16 --json");
    assert_eq!((&small["height"], &small["channels"]), (&16.into(), &3.into()));
    let gray = place.json("data import photos gray --json");
    assert!(gray.get("channels").is_none(), "{gray}");
    place.write("t.csv", "0,1,2,3,4\n1,1,2,3,4\n".repeat(6));
    let message = place.refused("data import t.csv table --color");
    assert_eq!(message, "t.csv: holds gray images; --color is for pictures, and for arrays with channels");
}

#[test]
fn the_papers_experiment_trains_each_of_its_cells() {
    let place = Place::new();
    write_cifar10(&place.at("data"));
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/experiments/paper/cifar_local.toml");
    let plan = place.json(&format!("sweep {file} --dry-run --json --set data_dir=data"));
    assert_eq!(plan["cells"].as_array().unwrap().len(), 6);
    let small = "layers=[{kind='local',grid=[8,8],stride=3,field=11,channels=2},\
                 {kind='local',grid=[7,7],stride=1,field=2,channels=2}]";
    place.done(&format!(
        "sweep {file} --quiet --set data_dir=data --set num_epochs=1 --set batch_size=5 --set seed=1 --set {small}"
    ));
    let results = place.read("runs/cifar_local/results.csv");
    for cell in ["backprop", "minimize", "maximize"] {
        assert!(results.contains(cell), "{results}");
    }
}
