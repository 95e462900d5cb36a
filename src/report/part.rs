//! What a section gives to the page.

use super::plot::Picture;

/// What one section adds to the report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    /// Heading of the section, without the words for incomparable runs.
    pub heading: String,
    /// Text below the heading.
    pub body: String,
    /// Pictures that the text shows.
    pub pictures: Vec<Picture>,
    /// Further files: name and content.
    pub files: Vec<(String, String)>,
}
