use std::time::Duration;

use mp_typed::{Primary, Response};

#[derive(Response)]
pub struct Answer;

pub fn mixed_up(primary: &Primary, timeout: Duration) {
    let _ = primary.send(&Answer);
    let _ = primary.request(&Answer, timeout);
}

fn main() {}
