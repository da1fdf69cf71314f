//! The example works: a browser subscribes, and receives what is published.

use super::*;
use axum::body::{Body, to_bytes};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest as _, http::HeaderValue},
};
use tower::ServiceExt as _;

type BrowserSocket = WebSocketStream<TcpStream>;

/// The application on free ports: its address, and its routes.
async fn start() -> (SocketAddr, Router) {
    let public = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let internal = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = public.local_addr().unwrap();
    let broker = Broker::new(config(addr, "a secret"));
    let routes = routes(&broker, internal.local_addr().unwrap(), "a secret");
    tokio::spawn(serve(public, routes.clone()));
    tokio::spawn(serve(internal, broker.api_routes()));
    (addr, routes)
}

async fn open(addr: SocketAddr) -> BrowserSocket {
    let mut request = format!("ws://{addr}/app/{KEY}?protocol=7")
        .into_client_request()
        .unwrap();
    let origin = HeaderValue::from_str(&format!("http://{addr}")).unwrap();
    request.headers_mut().insert("origin", origin);
    let stream = TcpStream::connect(addr).await.unwrap();
    client_async(request, stream).await.unwrap().0
}

/// The next event, or the code with which the socket is closed.
async fn receive(socket: &mut BrowserSocket) -> Result<Value, u16> {
    match socket.next().await.unwrap().unwrap() {
        Message::Text(text) => Ok(serde_json::from_str(&text).unwrap()),
        Message::Close(Some(frame)) => Err(frame.code.into()),
        other => panic!("{other:?}"),
    }
}

async fn post_form(routes: &Router, path: &str, form: String) -> (StatusCode, Vec<u8>) {
    let request = Request::post(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(form))
        .unwrap();
    let response = routes.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, body.to_vec())
}

#[tokio::test]
async fn a_browser_receives_what_the_application_publishes() {
    let (addr, routes) = start().await;
    let mut socket = open(addr).await;
    let greeting = receive(&mut socket).await.unwrap();
    let data: Value = serde_json::from_str(greeting["data"].as_str().unwrap()).unwrap();
    let socket_id = data["socket_id"].as_str().unwrap();

    let form = format!("channel_name={CHANNEL}&socket_id={socket_id}");
    let (status, body) = post_form(&routes, "/pusher/auth", form).await;
    assert_eq!(status, StatusCode::OK);
    let signed: Value = serde_json::from_slice(&body).unwrap();
    let data = json!({ "channel": CHANNEL, "auth": signed["auth"] });
    let subscribe = json!({ "event": "pusher:subscribe", "data": data });
    socket
        .send(Message::text(subscribe.to_string()))
        .await
        .unwrap();
    let reply = receive(&mut socket).await.unwrap();
    assert_eq!(reply["event"], "pusher_internal:subscription_succeeded");

    let (status, _) = post_form(&routes, "/news", "text=It+works".to_owned()).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let event = receive(&mut socket).await.unwrap();
    assert_eq!(event["event"], "published");
    assert_eq!(event["data"], json!({ "text": "It works" }).to_string());
}

#[tokio::test]
async fn an_address_has_only_so_many_sockets() {
    let (addr, _) = start().await;
    let mut sockets = Vec::new();
    for _ in 0..SOCKETS_OF_ADDRESS {
        let mut socket = open(addr).await;
        receive(&mut socket).await.unwrap();
        sockets.push(socket);
    }
    assert_eq!(receive(&mut open(addr).await).await, Err(4100));
}
