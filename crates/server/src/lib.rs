//! Routers over bank and PSP, configuration and metrics.
