// UDP sockets with the kernel's error queue, and the route to an address: what neither Swift's Glibc module nor SwiftNIO reaches.
#ifndef SIDETONE_PLATFORM_UDP_H
#define SIDETONE_PLATFORM_UDP_H
#include <stdint.h>

/// A bound, non-blocking UDP socket. `address` has `length` bytes (4 or 16) in network order.
/// With `errors` the kernel queues ICMP errors for platform_udp_error. Returns the descriptor, or -errno.
int platform_udp_bind(const uint8_t *address, int length, uint16_t port, int errors);
/// Sends one datagram; 0 or -errno. An error that the kernel kept of an earlier datagram does not stop this one.
int platform_udp_send(int fd, const uint8_t *address, int length, uint16_t port, const void *bytes, uint32_t count);
/// Takes one datagram that has arrived: its length and where it came from, or -errno. Never waits.
int platform_udp_receive(int fd, void *bytes, uint32_t count, uint8_t address[16], int *length, uint16_t *port);
/// The port that a socket is bound to, or 0.
uint16_t platform_udp_port(int fd);
/// Takes one queued ICMP error: its errno (ECONNREFUSED, EHOSTUNREACH, …) and where the datagram had been sent; 0 when there is none.
int platform_udp_error(int fd, uint8_t address[16], int *length, uint16_t *port);
/// The local address that the kernel would use toward `address`; returns its length (4 or 16), or -errno.
int platform_route(const uint8_t *address, int length, uint8_t local[16]);
/// A non-blocking netlink socket that has something to read whenever an address, a route or a link of this machine changes, or -errno.
int platform_netlink_open(void);
#endif
