//! Asking a server: timeouts, redirects, and how often and how long to try again.

use std::time::Duration;

use ureq::http::Response;
use ureq::{Agent, Body, ResponseExt};

use super::error::FetchError;

/// Most redirects that are followed.
const MAX_REDIRECTS: u32 = 8;
/// The longest a server's Retry-After is obeyed.
const MAX_WAIT: Duration = Duration::from_secs(300);
const CONNECT: Duration = Duration::from_secs(30);

/// How long to wait for a silent server and how often to try again.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Silence after which a peer counts as stalled.
    pub silence: Duration,
    /// Attempts in a row without a single new byte before an address is given up.
    pub attempts: u32,
}

/// An HTTP client.
pub struct Client {
    agent: Agent,
    token: Option<String>,
    patience: Patience,
}

/// An answer that can be read.
pub struct Answer {
    /// The response; its status is a success.
    pub response: Response<Body>,
    /// Whether the server sent the rest that was asked for, not the whole.
    pub partial: bool,
}

/// Why an attempt failed.
pub enum Refused {
    /// Worth another attempt, after this long where the server says so.
    Again(String, Option<Duration>),
    /// Not worth another attempt.
    Final(FetchError),
}

impl Client {
    /// A client; `token` goes to the first address alone, never to where it redirects.
    pub fn new(patience: Patience, token: Option<String>) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(MAX_REDIRECTS)
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(patience.silence))
            .timeout_per_read(Some(patience.silence))
            .user_agent(concat!("rpo-bench/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: config.new_agent(), token, patience }
    }

    /// How patient it is.
    pub fn patience(&self) -> Patience {
        self.patience
    }

    /// One attempt at `url` from byte `from` on.
    pub fn get(&self, url: &str, from: u64) -> Result<Answer, Refused> {
        let mut request = self.agent.get(url).header("Accept-Encoding", "identity");
        if from > 0 {
            request = request.header("Range", format!("bytes={from}-"));
        }
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let response = request.call().map_err(|error| transport(url, error))?;
        match response.status().as_u16() {
            200 => Ok(Answer { response, partial: false }),
            206 => Ok(Answer { response, partial: true }),
            status => Err(refusal(&response, status)),
        }
    }

    /// The headers of the first answer, before any redirect: the hub says a file's name and size there.
    ///
    /// # Errors
    /// As [`Client::small`].
    pub fn head(&self, url: &str) -> Result<Response<Body>, FetchError> {
        self.insist(url, || {
            let mut request =
                self.agent.head(url).config().max_redirects(0).max_redirects_will_error(false).build();
            if let Some(token) = &self.token {
                request = request.header("Authorization", format!("Bearer {token}"));
            }
            let response = request.call().map_err(|error| transport(url, error))?;
            match response.status().as_u16() {
                200..=399 => Ok(response),
                status => Err(refusal(&response, status)),
            }
        })
    }

    /// A small text, at most 10 MB.
    ///
    /// # Errors
    /// [`FetchError::Status`] and [`FetchError::Connection`].
    pub fn small(&self, url: &str) -> Result<String, FetchError> {
        self.insist(url, || {
            let mut answer = self.get(url, 0)?;
            answer.response.body_mut().read_to_string().map_err(|error| transport(url, error))
        })
    }

    fn insist<T>(&self, url: &str, one: impl Fn() -> Result<T, Refused>) -> Result<T, FetchError> {
        for attempt in 1.. {
            match one() {
                Ok(value) => return Ok(value),
                Err(Refused::Final(error)) => return Err(error),
                Err(Refused::Again(problem, _)) if attempt >= self.patience.attempts => {
                    return Err(FetchError::Connection { url: url.to_owned(), problem, attempts: attempt });
                }
                Err(Refused::Again(_, wait)) => pause(attempt, wait),
            }
        }
        // The range has no end.
        Err(FetchError::Connection { url: url.to_owned(), problem: String::new(), attempts: 0 })
    }
}

/// Waits before another attempt: as long as the server asks, else longer each time.
pub fn pause(attempt: u32, asked: Option<Duration>) {
    let own = Duration::from_millis(250) * 2u32.saturating_pow(attempt.min(7));
    std::thread::sleep(asked.unwrap_or(own).min(MAX_WAIT));
}

fn transport(url: &str, error: ureq::Error) -> Refused {
    let hint = match error {
        ureq::Error::TooManyRedirects | ureq::Error::RedirectFailed => "redirects without end",
        ureq::Error::BadUri(_) | ureq::Error::InvalidProxyUrl => "not an address",
        other => return Refused::Again(other.to_string(), None),
    };
    Refused::Final(FetchError::Connection { url: url.to_owned(), problem: hint.to_owned(), attempts: 1 })
}

fn refusal(response: &Response<Body>, status: u16) -> Refused {
    let asked =
        response.headers().get("Retry-After").and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let hint = match status {
        408 | 425 | 429 | 500..=599 => {
            return Refused::Again(format!("the server answers {status}"), asked.map(Duration::from_secs));
        }
        401 | 403 => " (a licence to accept, or a log-in: for HuggingFace set HF_TOKEN)",
        404 | 410 => " (nothing is there any more)",
        _ => "",
    };
    let url = response.get_uri().to_string();
    Refused::Final(FetchError::Status { url, status, hint })
}
