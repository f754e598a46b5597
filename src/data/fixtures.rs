//! What the tests of this module share: IDX files and a mirror on this machine.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use flate2::{Compression, write::GzEncoder};

use super::checksum;

/// An IDX file.
pub fn idx(magic: u32, sizes: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = magic.to_be_bytes().to_vec();
    bytes.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
    bytes.extend(values);
    bytes
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn sha256(bytes: &[u8]) -> &'static str {
    checksum::sha256(bytes).unwrap().leak()
}

/// What the mirror answers to one path.
#[derive(Clone)]
pub enum Reply {
    /// All, or from the byte on that is asked for.
    Whole(Vec<u8>),
    /// All, whatever is asked for.
    Always(Vec<u8>),
    /// Half of the bytes that the header announces.
    CutShort(Vec<u8>),
}

/// A server on 127.0.0.1 that answers 404 to all but the given paths.
pub struct Mirror {
    pub url: String,
    /// Paths asked for, each with the range that was.
    pub asked: Arc<Mutex<Vec<String>>>,
}

impl Mirror {
    pub fn serve(replies: Vec<(&'static str, Reply)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let request = lines.next().unwrap().unwrap();
                let headers: Vec<String> =
                    lines.map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
                let mut path = request.split(' ').nth(1).unwrap().to_owned();
                let reply = replies.iter().find(|(known, _)| *known == path);
                let range = headers.iter().find_map(|line| {
                    line.split_once(": ").filter(|(name, _)| name.eq_ignore_ascii_case("range"))
                });
                let from = range.map(|(_, range)| {
                    path += &format!(" {range}");
                    range.trim_start_matches("bytes=").trim_end_matches('-').parse::<usize>().unwrap()
                });
                let (status, length, body) = match (reply.map(|(_, reply)| reply), from) {
                    (Some(Reply::Whole(body)), Some(from)) if from >= body.len() => {
                        ("416 Range Not Satisfiable".to_owned(), 0, [].as_slice())
                    }
                    (Some(Reply::Whole(body)), Some(from)) => {
                        let (last, whole) = (body.len() - 1, body.len());
                        let range = format!("Content-Range: bytes {from}-{last}/{whole}");
                        (format!("206 Partial Content\r\n{range}"), whole - from, &body[from..])
                    }
                    (Some(Reply::Whole(body) | Reply::Always(body)), _) => {
                        ("200 OK".to_owned(), body.len(), body.as_slice())
                    }
                    (Some(Reply::CutShort(body)), _) => {
                        ("200 OK".to_owned(), body.len().max(1), &body[..body.len() / 2])
                    }
                    (None, _) => ("404 Not Found".to_owned(), 0, [].as_slice()),
                };
                log.lock().unwrap().push(path);
                let head =
                    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
                // The client may hang up first.
                let _ = stream.write_all(head.as_bytes());
                let _ = stream.write_all(body);
            }
        });
        Self { url, asked }
    }
}
