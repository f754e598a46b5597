//! Files that somebody else made, and results that would be wrong without a word.

use std::fs;

use crate::idx::{self, FILES, write_set};
use crate::place::Place;

/// A safetensors file of float32 tensors that are all ones.
fn tensors(shapes: &[(&str, &[usize])]) -> Vec<u8> {
    let (mut header, mut end) = (serde_json::Map::new(), 0);
    for (name, shape) in shapes {
        let bytes = 4 * shape.iter().product::<usize>();
        let info = serde_json::json!({"dtype": "F32", "shape": shape, "data_offsets": [end, end + bytes]});
        header.insert((*name).to_owned(), info);
        end += bytes;
    }
    let header = serde_json::to_vec(&header).unwrap();
    [&(header.len() as u64).to_le_bytes(), header.as_slice(), &1f32.to_le_bytes().repeat(end / 4)].concat()
}

#[test]
fn layers_behind_a_gap_are_not_left_out() {
    let place = Place::new();
    let digits: &[(&str, &[usize])] = &[("layers.0.weight", &[64, 8]), ("layers.0.bias", &[8])];
    for (extra, part) in [
        ("layers.2.weight", "there is layers.2.weight, but no layers.1.weight"),
        ("layers.2.bias", "but no layers.1.weight"),
        ("head.3.weight", "there is head.3.weight, but no layers.1.weight"),
        ("layers.1.0.weight", "there is layers.1.0.weight, expected layers.N.weight"),
        ("layers.01.weight", "there is layers.01.weight"),
    ] {
        place.write("x.safetensors", tensors(&[digits, &[(extra, &[8, 8])]].concat()));
        let message = place.refused("eval x.safetensors --dataset digits");
        assert!(message.contains(part), "{message}");
    }
    // Tensors of no concern may lie beside ours.
    place.write("x.safetensors", tensors(&[digits, &[("classifier.weight", &[8, 10])]].concat()));
    place.done("eval x.safetensors --dataset digits --set label=overlay --backend cpu --json");
}

#[test]
fn a_class_without_test_images_has_no_accuracy() {
    let place = Place::new();
    write_set(&place.at("set"), 12, 4, 80, 40);
    // What was class 3 is class 0.
    let labels: Vec<u8> = (0..40).map(|row| [0, 1, 2, 0][row % 4]).collect();
    fs::write(place.at("set").join(FILES[3]), idx::file(&[40], &labels)).unwrap();
    let summary = place.json(
        "train 8 8 --dataset idx:set --num-epochs 1 --batch-size 20 --backend cpu --log-dir run --json",
    );
    assert!(summary["class_accuracy"][3].is_null() && summary["class_accuracy"][0].is_number());
    assert!(place.epochs("run")[0]["class_accuracy"][3].is_null());
    assert!(place.json("eval run --json")["class_accuracy"][3].is_null());
    assert!(place.done("eval run").stdout.contains('–'));
}

#[test]
fn a_set_of_ones_own_may_have_fewer_classes() {
    let place = Place::new();
    write_set(&place.at("set"), 12, 4, 80, 40);
    write_set(&place.at("own"), 12, 2, 20, 20);
    place.done("train 8 8 --dataset idx:set --num-epochs 1 --batch-size 20 --backend cpu --log-dir run");
    let report = place.json("eval run --dataset idx:own --json");
    assert_eq!(report["total"], 20);
    assert_eq!(report["confusion_matrix"].as_array().unwrap().len(), 4);
    write_set(&place.at("more"), 12, 5, 20, 20);
    assert!(place.refused("eval run --dataset idx:more").contains("5 classes, expected at most 4"));
}

#[test]
fn classes_are_matched_by_their_names() {
    let place = Place::new();
    write_set(&place.at("set"), 12, 4, 80, 40);
    place.write("set/classes.txt", "a\nb\nc\nd\n");
    place.done("train 8 8 --dataset idx:set --num-epochs 4 --batch-size 20 --backend cpu --log-dir run");
    let before = place.json("eval run --json");
    assert_eq!(before["class_names"], serde_json::json!(["a", "b", "c", "d"]));
    // The same images under other numbers.
    for file in [1, 3] {
        let path = place.at("set").join(FILES[file]);
        let mut bytes = fs::read(&path).unwrap();
        bytes[8..].iter_mut().for_each(|label| *label = 3 - *label);
        fs::write(&path, bytes).unwrap();
    }
    place.write("set/classes.txt", "d\nc\nb\na\n");
    assert_eq!(place.json("eval run --json"), before);
    place.write("set/classes.txt", "d\nc\nb\nz\n");
    assert!(place.refused("eval run").contains("class \"z\", expected one of a, b, c, d"));
    let text = place
        .done("train 8 --dataset idx:set --num-epochs 1 --batch-size 20 --backend cpu --log-dir named")
        .stdout;
    assert!(text.contains(" %  z\n"), "{text}");
}

#[test]
fn a_label_beyond_the_class_list_is_no_class() {
    let place = Place::new();
    write_set(&place.at("set"), 12, 4, 80, 40);
    place.write("set/classes.txt", "a\nb\nc\n");
    let message = place.refused("data info idx:set");
    assert!(message.contains("train-labels-idx1-ubyte: label 3 of image 3, expected 0 to 2"), "{message}");
}

#[test]
fn headers_are_compared_before_any_image_is_read() {
    use std::io::Write;
    let place = Place::new();
    write_set(&place.at("set"), 12, 4, 80, 40);
    let path = place.at("set").join(FILES[0]);
    fs::remove_file(&path).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let count = 300_000u32;
    gzip.write_all(&idx::file(&[count, 12, 12], &vec![0; count as usize * 144])).unwrap();
    let mut bytes = gzip.finish().unwrap();
    // Whoever reads the images finds this; whoever compares the headers does not.
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0xff);
    fs::write(place.at("set").join(format!("{}.gz", FILES[0])), bytes).unwrap();
    let message = place.refused("data info idx:set");
    assert!(message.contains("80 labels, expected 300000 as there are images in"), "{message}");
}

#[test]
fn a_dry_run_refuses_what_the_sweep_refuses() {
    let place = Place::new();
    write_set(&place.at("set"), 12, 2, 60, 20);
    let mut labels = place.bytes(&format!("set/{}", FILES[1]));
    labels[8] = 2;
    place.write(&format!("set/{}", FILES[1]), labels);
    let head = "[data]\ndataset = \"idx:set\"\n[network]\nlayer_sizes = [8]\n[training]\nnum_epochs = 1\nbatch_size = 5\n[backend]\nname = \"cpu\"\n[sweep]\n";
    let seeds = "validation_size = [30]\nseed = [1, 2, 3, 4, 5, 6, 7, 8]\n";
    for (axes, part) in [
        ("batch_size = [16, 5000]", "is 5000, but there are only 60 training rows"),
        ("validation_size = [0, 60]", "holds out 60 of 60"),
        (seeds, "holds out all 1 training images of class 2"),
    ] {
        place.write(
            "x.toml",
            format!(
                "{}{axes}\n",
                head.replace(
                    "batch_size = 5\n",
                    if axes.contains("batch") { "" } else { "batch_size = 5\n" }
                )
            ),
        );
        let dry = place.refused("sweep x.toml --dry-run");
        assert!(dry.contains(part), "{dry}");
        assert_eq!(place.refused("sweep x.toml"), dry);
    }
    for seed in 1..=8 {
        let outcome = place.ff(&format!("train 8 --dataset idx:set --batch-size 5 --validation-size 30 --seed {seed} --num-epochs 1 --backend cpu --log-dir r --force --quiet"));
        assert!(
            outcome.code == Some(0) || outcome.stderr.contains("training images of class 2"),
            "{outcome:?}"
        );
    }
}

#[test]
fn many_values_and_narrow_searches_are_counted_first() {
    let place = Place::new();
    let head = "[data]\ndataset = \"digits\"\n[network]\ndepth = 2\nwidth = 8\n";
    let seeds: Vec<String> = (0..50_000).map(|seed| seed.to_string()).collect();
    let narrow = "[search]\ncells = 10000\nbatch_size = { from = 16, to = 256, scale = \"log\" }\nthreshold = [1.0, 2.0, 2.0]\n";
    for (text, part) in [
        (
            format!("{head}[sweep]\nthreshold = [1.0, 2.0]\nseed = [{}]\n", seeds.join(", ")),
            "makes more than 10000 cells",
        ),
        (format!("{head}{narrow}"), "`search` finds only 482 different cells of the 10000 asked for"),
        (format!("{head}[search]\ncells = 5\nseed = [1]\nthreshold = [1, 1, 1]\n"), "`seed` must"),
        (format!("#{}\n", "x".repeat(11 << 20)), "has more than 10485760 bytes"),
    ] {
        place.write("x.toml", text);
        let message = place.refused("sweep x.toml --dry-run");
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn numbers_as_other_programs_take_them() {
    let place = Place::new();
    for (written, knob, value) in [
        ("--learning-rate .001", "learning_rate", 0.001),
        ("--learning-rate 1.", "learning_rate", 1.0),
        ("--set learning_rate=.5", "learning_rate", 0.5),
        ("--seed 007", "seed", 7.0),
        ("--set seed=007", "seed", 7.0),
    ] {
        place.done(&format!(
            "train 4 --dataset digits --num-epochs 1 --backend cpu --log-dir r --force --quiet {written}"
        ));
        let found = &place.config("r")["training"][knob];
        assert_eq!(found.as_float().or(found.as_integer().map(|n| n as f64)), Some(value), "{written}");
    }
}

#[test]
fn a_tilde_is_home() {
    let place = Place::new();
    place.done("train 4 --dataset digits --num-epochs 1 --backend cpu --log-dir=~/runs/x --quiet");
    assert!(!place.at("~").exists());
    let mut home = place.program();
    home.args(["eval", "--backend", "cpu", "--json"]);
    let folder = home.get_envs().find(|(name, _)| *name == "HOME").unwrap().1.unwrap().to_owned();
    assert!(home.arg(std::path::Path::new(&folder).join("runs/x")).output().unwrap().status.success());
    let message = place.refused("train 4 --dataset idx:~/gone");
    assert!(message.contains(&format!("{}/gone", folder.display())), "{message}");
    assert!(place.refused("train 4 --dataset digits --log-dir ~nobody/x").contains("./~nobody/x"));
}

#[test]
fn tables_hold_no_formula_and_no_html() {
    let place = Place::new();
    place.write(
        "x.toml",
        "[data]\ndataset = \"digits\"\n[network]\nlayer_sizes = [4]\n[training]\nnum_epochs = 1\n[sweep]\n\
         data_dir = ['=HYPERLINK(\"http://evil\")', '<script>alert(1)</script>|x', '@SUM(1)']\n",
    );
    place.done("sweep x.toml --backend cpu --quiet --set figures=false");
    let csv = place.read("runs/x/results.csv");
    assert!(csv.contains(",\"'=HYPERLINK(") && csv.contains(",'@SUM(1),"), "{csv}");
    let markdown = place.read("runs/x/results.md");
    assert!(markdown.contains("&lt;script&gt;alert(1)&lt;/script&gt;\\|x"), "{markdown}");
}

#[test]
fn names_do_not_write_on_the_terminal() {
    let place = Place::new();
    let outcome = place.words(&["eval", "a\u{1b}[2J\nff: all is well"]);
    assert_eq!(outcome.code, Some(2));
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
    assert!(!outcome.stderr.contains('\u{1b}'));
}

#[test]
fn figures_follow_no_link_and_leave_nothing() {
    let place = Place::new();
    place.done("train 4 --dataset digits --num-epochs 1 --backend cpu --log-dir run --quiet");
    place.write("victim", "precious");
    // What a killed process of ours, and what somebody else, left behind.
    place.write("run/figures/.ff-tmp-abc123", "half a figure");
    place.write("run/figures/.notes.tmp", "notes");
    std::os::unix::fs::symlink(place.at("victim"), place.at("run/figures/.ff-tmp-link")).unwrap();
    let _ = fs::remove_file(place.at("run/figures/curves.png"));
    std::os::unix::fs::symlink(place.at("victim"), place.at("run/figures/curves.png")).unwrap();
    place.done("plot run");
    assert_eq!(place.read("victim"), "precious");
    assert!(place.at("run/figures/.notes.tmp").exists() && !place.at("run/figures/.ff-tmp-abc123").exists());
    assert!(!place.at("run/figures/curves.png").is_symlink());
}

#[test]
fn a_probe_is_trained() {
    let place = Place::new();
    assert!(place.refused("eval run --probe --probe-epochs 0").contains("--probe-epochs"));
    assert!(place.refused("eval run --probe --probe-epochs -1").contains("--probe-epochs"));
}

#[test]
fn a_strangers_checkpoint_names_no_folder_that_is_read() {
    let place = Place::new();
    write_set(&place.at("set"), 12, 4, 80, 40);
    place.done(
        "train 8 8 --dataset idx:set --num-epochs 1 --batch-size 20 --backend cpu --log-dir run --quiet",
    );
    fs::copy(place.at("run/checkpoints/last.safetensors"), place.at("from-somewhere.safetensors")).unwrap();
    let message = place.refused("eval from-somewhere.safetensors");
    assert!(message.contains("names data in a folder; read them with --dataset idx:/"), "{message}");
    let told = place.json("eval from-somewhere.safetensors --dataset idx:set --json");
    assert_eq!(told, place.json("eval run --json"));
    assert_eq!(told, place.json("eval run/checkpoints/last.safetensors --json"));
}
