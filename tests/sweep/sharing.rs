//! Several processes, or several jobs of one, share a sweep.

use crate::experiment::{GRID, column, place, results, started};

/// The cells that a process says it trained.
fn trained(stderr: &str) -> Vec<usize> {
    let number = |line: &str| line.strip_prefix("cell ")?.split_once(' ')?.0.parse().ok();
    stderr.lines().filter_map(number).collect()
}

#[test]
fn two_processes_do_every_cell_once() {
    let place = place(GRID);
    place.done("sweep x.toml --log-dir alone --quiet --set num_epochs=20");
    let children = [0; 2].map(|_| started(&place, "sweep x.toml --log-dir s --set num_epochs=20"));
    let outputs = children.map(|child| child.wait_with_output().unwrap());
    let mut cells = Vec::new();
    for output in outputs {
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{stderr}");
        let own = trained(&stderr);
        assert!(!own.is_empty(), "one process did nothing: {stderr}");
        cells.extend(own);
    }
    cells.sort_unstable();
    assert_eq!(cells, (0..12).collect::<Vec<_>>());
    assert_eq!(results(&place, "alone"), results(&place, "s"));
}

#[test]
fn a_dead_process_leaves_its_cell_to_others() {
    let place = place("[sweep]\nseed = [1, 2]\n");
    let line = "sweep x.toml --log-dir s --set num_epochs=400";
    let mut first = started(&place, line);
    let second = started(&place, line);
    std::thread::sleep(std::time::Duration::from_millis(500));
    first.kill().unwrap();
    first.wait().unwrap();
    let output = second.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(column(&place, "s", "status"), ["done", "done"]);
}

#[test]
fn jobs_do_not_change_the_numbers() {
    let place = place(GRID);
    place.done("sweep x.toml --log-dir one --quiet");
    place.done("sweep x.toml --log-dir four --quiet --jobs 4");
    assert_eq!(results(&place, "one"), results(&place, "four"));
    // Data of different sets and held-out rows are told apart.
    place.write(
        "y.toml",
        place.read("x.toml").split("[sweep]").next().unwrap().to_owned()
            + "[sweep]\nvalidation_size = [0, 100]\nseed = [1, 2]\n",
    );
    place.done("sweep y.toml --log-dir five --quiet");
    place.done("sweep y.toml --log-dir six --quiet --jobs 4");
    assert_eq!(results(&place, "five"), results(&place, "six"));
}

/// Where the experiment leaves threads open, the first invocation decides for all.
#[test]
fn threads_are_decided_once() {
    let place = place("[sweep]\nseed = [1, 2]\n");
    place.write("x.toml", place.read("x.toml").replace("threads = 1", "threads = 0"));
    place.done("sweep x.toml --log-dir s --quiet --jobs 1024 --cell 0");
    place.done("sweep x.toml --log-dir s --quiet");
    for folder in column(&place, "s", "run_dir") {
        let config = place.read(&format!("s/{folder}/config.toml"));
        assert!(config.contains("threads = 1\n"), "{config}");
    }
}
