//! A pooler between an application and `PostgreSQL` that leaves out `options`, as `PgBouncer` can be
//! told to.

use std::io;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

/// Starts one before `server`, and returns its port.
pub async fn pooler(server: String) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(pass(client, server.clone()));
        }
    });
    port
}

/// A connection begins with its length, a version, and pairs of texts that each end in a zero
/// (`StartupMessage` of `PostgreSQL`'s protocol).
async fn pass(mut client: TcpStream, server: String) -> io::Result<()> {
    let length = client.read_u32().await?;
    let mut head = vec![0; length as usize - 4];
    client.read_exact(&mut head).await?;
    let (version, texts) = head.split_at(4);
    let mut texts = texts.split(|byte| *byte == 0);
    let mut kept = version.to_vec();
    while let (Some(name), Some(value)) = (texts.next(), texts.next()) {
        if !name.is_empty() && name != b"options" {
            kept.extend([name, &[0], value, &[0]].concat());
        }
    }
    kept.push(0);
    let mut server = TcpStream::connect(&server).await?;
    let length = u32::try_from(kept.len()).expect("it is short") + 4;
    server.write_u32(length).await?;
    server.write_all(&kept).await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}
