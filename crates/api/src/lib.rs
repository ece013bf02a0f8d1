//! HTTP paths, request and response types, problem types, client.
