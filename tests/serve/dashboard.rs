//! The dashboard: its pages in a browser, and its forms without JavaScript.

mod clicks;
mod forms;
mod hostile;
mod live;
mod visit;
