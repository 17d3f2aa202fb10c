//! Formatting for constants: `format!` does not run at compile time.

/// Text in the making. What does not fit is cut off: better a short table than a second error about
/// the first.
pub(crate) struct Text<const N: usize = 4096> {
    bytes: [u8; N],
    len: usize,
}

impl Text {
    pub(crate) const fn new() -> Self {
        Self::empty()
    }
}

impl<const N: usize> Text<N> {
    pub(crate) const fn empty() -> Self {
        Self { bytes: [0; N], len: 0 }
    }

    pub(crate) const fn str(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        if text.len() <= self.bytes.len() - self.len {
            self.bytes.split_at_mut(self.len).1.split_at_mut(text.len()).0.copy_from_slice(text);
            self.len += text.len();
        }
        self
    }

    pub(crate) const fn num(self, number: usize) -> Self {
        self.right(number, 0)
    }

    /// `text`, followed by spaces up to `width`.
    pub(crate) const fn left(self, text: &str, width: usize) -> Self {
        self.str(text).spaces(width.saturating_sub(text.len()))
    }

    /// `number`, after spaces up to `width`.
    pub(crate) const fn right(self, number: usize, width: usize) -> Self {
        let mut digits = [0; 20];
        let (mut first, mut rest) = (digits.len(), number);
        loop {
            first -= 1;
            digits[first] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        let digits = digits.split_at(first).1;
        let text = self.spaces(width.saturating_sub(digits.len()));
        match str::from_utf8(digits) {
            Ok(digits) => text.str(digits),
            Err(_) => text,
        }
    }

    pub(crate) const fn as_str(&self) -> &str {
        match str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "",
        }
    }

    const fn spaces(mut self, count: usize) -> Self {
        let mut i = 0;
        while i < count {
            self = self.str(" ");
            i += 1;
        }
        self
    }
}
