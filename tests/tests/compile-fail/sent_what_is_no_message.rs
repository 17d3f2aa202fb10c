pub struct Own;

pub fn mixed_up() {
    let _ = mp_typed::encode(&7);
    let _ = mp_typed::encode(&Own);
}

fn main() {}
