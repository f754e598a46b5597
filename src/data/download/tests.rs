#![allow(clippy::unwrap_used)]
use super::super::checksum::Checksum;
use super::super::fixtures::{Mirror, Reply, gzip, sha256};
use super::super::published;
use super::*;

const PATH: &str = "/labels.gz";

fn labels(checksum: Checksum<'static>) -> Wanted<'static> {
    Wanted { name: "labels.gz".to_owned(), checksum, by_hand: "them".to_owned() }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Fetches "contents" from mirrors that reply so; the folder is returned too.
fn fetch_from(replies: Vec<Option<Reply>>) -> (Result<PathBuf, DataError>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mirrors: Vec<String> = replies
        .into_iter()
        .map(|reply| Mirror::serve(reply.map(|reply| (PATH, reply)).into_iter().collect()).url)
        .collect();
    let file = labels(Checksum::Contents(sha256(b"contents")));
    let result = fetch(&file, &mirrors, &folder.path().join("set"), false);
    (result, folder)
}

#[test]
fn a_good_file_arrives_whole() {
    let body = gzip(b"contents");
    let (path, folder) = fetch_from(vec![Some(Reply::Whole(body.clone()))]);
    assert_eq!(path.unwrap(), folder.path().join("set/labels.gz"));
    assert_eq!(fs::read(folder.path().join("set/labels.gz")).unwrap(), body);
    assert_eq!(names(&folder.path().join("set")), ["labels.gz"]);
}

#[test]
fn a_bad_mirror_gives_way_to_the_next() {
    let good = Reply::Whole(gzip(b"contents"));
    for bad in [
        None,
        Some(Reply::Whole(gzip(b"other contents"))),
        Some(Reply::Whole(b"<html>please log in</html>".to_vec())),
        Some(Reply::Whole([0x1f, 0x8b, 8, 0, 0, 0].to_vec())),
        Some(Reply::CutShort(gzip(b"contents"))),
    ] {
        let (path, folder) = fetch_from(vec![bad, Some(good.clone())]);
        path.unwrap();
        assert_eq!(names(&folder.path().join("set")), ["labels.gz"]);
    }
}

#[test]
fn when_all_fail_one_line_says_what_was_tried_and_nothing_is_left() {
    let (result, folder) =
        fetch_from(vec![None, Some(Reply::CutShort(Vec::new())), Some(Reply::Whole(gzip(b"other")))]);
    let message = result.unwrap_err().to_string();
    for part in [
        "cannot download labels.gz (http://127.0.0.1:",
        "404",
        sha256(b"other"),
        sha256(b"contents"),
        "by hand",
        &folder.path().join("set").display().to_string(),
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert_eq!(message.matches("http://").count(), 3);
    assert!(message.contains("put them into"), "{message}");
    assert!(!message.contains('\n'));
    assert!(names(&folder.path().join("set")).is_empty());
}

#[test]
fn what_has_arrived_is_not_asked_for_again() {
    let body = gzip(b"contents");
    let half = body.len() / 2;
    for resumes in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let fetch = |reply| {
            let mirror = Mirror::serve(vec![(PATH, reply)]);
            let wanted = labels(Checksum::Contents(sha256(b"contents")));
            let result = fetch(&wanted, std::slice::from_ref(&mirror.url), folder.path(), false);
            (result, mirror.asked.lock().unwrap().clone())
        };
        fetch(Reply::CutShort(body.clone())).0.unwrap_err();
        assert_eq!(fs::read(folder.path().join("labels.gz.part")).unwrap(), body[..half]);
        let reply = if resumes { Reply::Whole(body.clone()) } else { Reply::Always(body.clone()) };
        let (path, asked) = fetch(reply);
        assert_eq!(fs::read(path.unwrap()).unwrap(), body);
        assert_eq!(asked, [format!("{PATH} bytes={half}-")]);
        assert_eq!(names(folder.path()), ["labels.gz"]);
    }
}

#[test]
fn a_beginning_of_another_file_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let body = gzip(b"contents");
    for begun in [vec![7; 5], vec![7; 500]] {
        fs::write(folder.path().join("labels.gz.part"), &begun).unwrap();
        let mirror = Mirror::serve(vec![(PATH, Reply::Whole(body.clone()))]);
        let wanted = labels(Checksum::Contents(sha256(b"contents")));
        fetch(&wanted, &[mirror.url], folder.path(), false).unwrap();
        assert_eq!(mirror.asked.lock().unwrap().last().unwrap(), PATH);
        assert_eq!(names(folder.path()), ["labels.gz"]);
        fs::remove_file(folder.path().join("labels.gz")).unwrap();
    }
}

#[test]
fn nobody_listening_fails_at_once() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mirror = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("set");
    let file = labels(Checksum::Contents("0"));
    let started = std::time::Instant::now();
    fetch(&file, &[mirror, "no address".into()], &folder, false).unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(10));
    assert!(!folder.exists());
}

#[test]
fn an_archive_checksum_is_of_the_compressed_bytes() {
    let body = gzip(b"contents");
    let mirror = Mirror::serve(vec![(PATH, Reply::Whole(body.clone()))]).url;
    let folder = tempfile::tempdir().unwrap();
    let fetch =
        |sum| fetch(&labels(Checksum::Archive(sum)), std::slice::from_ref(&mirror), folder.path(), true);
    fetch(sha256(b"contents")).unwrap_err();
    fetch(sha256(&body)).unwrap();
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let folder = file.path().join("below-a-file");
    let mirror = Mirror::serve(vec![(PATH, Reply::Whole(gzip(b"contents")))]).url;
    let message = fetch(&labels(Checksum::Contents("0")), &[mirror], &folder, false).unwrap_err().to_string();
    assert!(message.starts_with(&folder.display().to_string()), "{message}");
}

#[test]
fn the_users_mirror_comes_first() {
    assert_eq!(
        mirrors_after("https://lab/data/", "mnist", published::MNIST.mirrors),
        [
            "https://lab/data/mnist",
            "https://lab/data",
            "https://storage.googleapis.com/cvdf-datasets/mnist",
            "https://ossci-datasets.s3.amazonaws.com/mnist",
        ]
    );
    assert_eq!(mirrors_after("", "set", &["https://lab"]), ["https://lab"]);
    for set in published::SETS {
        assert!(set.mirrors.iter().all(|mirror| mirror.starts_with("https://")));
    }
}

#[test]
fn a_given_folder_is_taken_as_it_is() {
    assert_eq!(folder("some/where").unwrap(), Path::new("some/where"));
}

#[test]
fn addresses_without_https_are_not_asked() {
    let folder = tempfile::tempdir().unwrap();
    let file = labels(Checksum::Contents("0"));
    for address in ["http://mirror.example", "ftp://mirror.example", "file:///etc"] {
        let message = fetch(&file, &[address.into()], folder.path(), false).unwrap_err().to_string();
        assert!(message.contains("is no https address"), "{message}");
    }
}

#[test]
fn what_a_killed_download_left_goes_with_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let (left, _) = temporary::new_in(folder.path()).unwrap().keep().unwrap();
    drop(left);
    let mirror = Mirror::serve(vec![(PATH, Reply::Whole(gzip(b"contents")))]).url;
    fetch(&labels(Checksum::Contents(sha256(b"contents"))), &[mirror], folder.path(), false).unwrap();
    assert_eq!(names(folder.path()), ["labels.gz"]);
}
