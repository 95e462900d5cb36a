//! A web server on loopback that fails on demand.

#![expect(clippy::disallowed_types, reason = "the other end of the connections under test")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a path answers.
#[derive(Clone)]
pub enum Answer {
    /// The bytes, or the part asked for, with these headers besides.
    File(Vec<u8>, Vec<(&'static str, String)>),
    /// The right length, and the connection closed after so many bytes of the body.
    Cut(Vec<u8>, usize),
    /// So many bytes, then silence.
    Stall(Vec<u8>, usize),
    /// A length and nothing else.
    Claim(u64),
    /// A status with headers.
    Status(u16, Vec<(&'static str, String)>),
    /// A page.
    Html,
}

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub range: Option<String>,
    pub authorization: Option<String>,
}

type Routes = BTreeMap<String, Vec<Answer>>;

/// The server; it lives as long as the process.
pub struct Server {
    pub port: u16,
    routes: Arc<Mutex<Routes>>,
    log: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (routes, log) = (Arc::new(Mutex::new(Routes::new())), Arc::new(Mutex::new(Vec::new())));
        let (shared, requests) = (routes.clone(), log.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (routes, log) = (shared.clone(), requests.clone());
                std::thread::spawn(move || serve(stream.unwrap(), &routes, &log));
            }
        });
        Self { port, routes, log }
    }

    /// Answers of a path, one a request; the last one stays.
    pub fn on(&self, path: &str, answers: Vec<Answer>) -> String {
        self.routes.lock().unwrap().insert(path.to_owned(), answers);
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.log.lock().unwrap().clone()
    }
}

fn serve(stream: TcpStream, routes: &Mutex<Routes>, log: &Mutex<Vec<Request>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut request = Request::default();
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|count| count > 2) {
        if let Some((name, value)) = line.trim().split_once(": ") {
            match name.to_ascii_lowercase().as_str() {
                "range" => request.range = Some(value.to_owned()),
                "authorization" => request.authorization = Some(value.to_owned()),
                _ => {}
            }
        } else if request.method.is_empty() {
            let mut words = line.split(' ');
            request.method = words.next().unwrap().to_owned();
            request.path = words.next().unwrap().to_owned();
        }
        line.clear();
    }
    log.lock().unwrap().push(request.clone());
    let path = request.path.split('?').next().unwrap();
    let answer = match routes.lock().unwrap().get_mut(path) {
        Some(answers) if answers.len() > 1 => answers.remove(0),
        Some(answers) => answers[0].clone(),
        None => Answer::Status(404, Vec::new()),
    };
    // The client may be gone, which is its affair.
    _ = reply(stream, &request, answer);
}

fn head(stream: &mut TcpStream, status: u16, headers: &[(&str, String)]) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 {status} X\r\nConnection: close\r\n")?;
    for (name, value) in headers {
        write!(stream, "{name}: {value}\r\n")?;
    }
    write!(stream, "\r\n")
}

fn reply(mut stream: TcpStream, request: &Request, answer: Answer) -> std::io::Result<()> {
    let from = |total: usize| {
        let range =
            request.range.as_deref().and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
        range.and_then(|from| from.parse::<usize>().ok()).filter(|from| *from < total)
    };
    let start = |stream: &mut TcpStream, bytes: &[u8], headers: &[(&'static str, String)]| {
        let total = bytes.len();
        let at = from(total);
        let mut headers = headers.to_vec();
        headers.push(("Content-Length", (total - at.unwrap_or(0)).to_string()));
        if let Some(at) = at {
            headers.push(("Content-Range", format!("bytes {at}-{}/{total}", total - 1)));
        }
        head(stream, if at.is_some() { 206 } else { 200 }, &headers).map(|()| at.unwrap_or(0))
    };
    match answer {
        Answer::File(bytes, headers) => {
            let at = start(&mut stream, &bytes, &headers)?;
            if request.method != "HEAD" {
                stream.write_all(&bytes[at..])?;
            }
        }
        Answer::Cut(bytes, count) => {
            let at = start(&mut stream, &bytes, &[])?;
            stream.write_all(&bytes[at..(at + count).min(bytes.len())])?;
        }
        Answer::Stall(bytes, count) => {
            let at = start(&mut stream, &bytes, &[])?;
            stream.write_all(&bytes[at..(at + count).min(bytes.len())])?;
            std::thread::sleep(Duration::from_secs(600));
        }
        Answer::Claim(bytes) => head(&mut stream, 200, &[("Content-Length", bytes.to_string())])?,
        Answer::Status(status, mut headers) => {
            headers.push(("Content-Length", "0".to_owned()));
            head(&mut stream, status, &headers)?;
        }
        Answer::Html => {
            let page = "<!DOCTYPE html><html>quota exceeded</html>";
            let headers = [
                ("Content-Type", "text/html; charset=utf-8".to_owned()),
                ("Content-Length", page.len().to_string()),
            ];
            head(&mut stream, 200, &headers)?;
            stream.write_all(page.as_bytes())?;
        }
    }
    Ok(())
}
