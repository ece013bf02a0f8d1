//! The device host, sans-I/O: purse, withdraw, pay, receive, synchronise, recover.
