//! A connection that is closed only after the other side has had time to read the answer.
//!
//! A request that is refused before its body was read leaves bytes behind. Closing at once would
//! answer them with a reset, and that takes the refusal with it before the client has read it.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// How long what still comes in is thrown away.
const TIME_MAX: Duration = Duration::from_secs(2);
/// How much of it, in bytes.
const BYTES_MAX: usize = 4 * 1024 * 1024;

/// A connection that lingers when it is shut down.
#[derive(Debug)]
pub(in crate::http) struct Linger<S> {
    stream: S,
    closing: Option<Closing>,
}

#[derive(Debug)]
struct Closing {
    until: Pin<Box<Sleep>>,
    bytes: usize,
}

impl<S> Linger<S> {
    pub(in crate::http) fn new(stream: S) -> Self {
        Self { stream, closing: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Linger<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Linger<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, closing } = self.get_mut();
        if closing.is_none() {
            match Pin::new(&mut *stream).poll_shutdown(cx) {
                Poll::Ready(Ok(())) => {}
                other => return other,
            }
        }
        let closing = closing.get_or_insert_with(|| Closing {
            until: Box::pin(tokio::time::sleep(TIME_MAX)),
            bytes: 0,
        });
        let mut scrap = [0; 16 * 1024];
        loop {
            if closing.until.as_mut().poll(cx).is_ready() || closing.bytes > BYTES_MAX {
                return Poll::Ready(Ok(()));
            }
            let mut buffer = ReadBuf::new(&mut scrap);
            match Pin::new(&mut *stream).poll_read(cx, &mut buffer) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    closing.bytes += buffer.filled().len();
                }
                // The other side is done, one way or another.
                Poll::Ready(_) => return Poll::Ready(Ok(())),
            }
        }
    }
}
