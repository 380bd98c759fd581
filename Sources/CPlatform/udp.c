#define _GNU_SOURCE
#include "platform_udp.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static socklen_t fill(struct sockaddr_storage *s, const uint8_t *address, int length, uint16_t port) {
  memset(s, 0, sizeof *s);
  if (length == 4) {
    struct sockaddr_in *in = (struct sockaddr_in *)s;
    in->sin_family = AF_INET;
    in->sin_port = htons(port);
    memcpy(&in->sin_addr, address, 4);
    return sizeof *in;
  }
  struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)s;
  in6->sin6_family = AF_INET6;
  in6->sin6_port = htons(port);
  memcpy(&in6->sin6_addr, address, 16);
  return sizeof *in6;
}

static int unpack(const struct sockaddr_storage *s, uint8_t address[16], uint16_t *port) {
  if (s->ss_family == AF_INET) {
    const struct sockaddr_in *in = (const struct sockaddr_in *)s;
    memcpy(address, &in->sin_addr, 4);
    if (port) *port = ntohs(in->sin_port);
    return 4;
  }
  const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)s;
  memcpy(address, &in6->sin6_addr, 16);
  if (port) *port = ntohs(in6->sin6_port);
  return 16;
}

int platform_udp_bind(const uint8_t *address, int length, uint16_t port, int errors) {
  int fd = socket(length == 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  int one = 1, size = 1 << 20;
  if (length == 16) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
  if (errors) setsockopt(fd, length == 4 ? IPPROTO_IP : IPPROTO_IPV6, length == 4 ? IP_RECVERR : IPV6_RECVERR, &one, sizeof one);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  struct sockaddr_storage s;
  socklen_t n = fill(&s, address, length, port);
  if (bind(fd, (struct sockaddr *)&s, n) != 0) {
    int e = errno;
    close(fd);
    return -e;
  }
  return fd;
}

int platform_udp_send(int fd, const uint8_t *address, int length, uint16_t port, const void *bytes, uint32_t count) {
  struct sockaddr_storage s;
  socklen_t n = fill(&s, address, length, port);
  for (int i = 0; i < 2; i++)
    if (sendto(fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&s, n) >= 0) return 0;
  return -errno;
}

int platform_udp_receive(int fd, void *bytes, uint32_t count, uint8_t address[16], int *length, uint16_t *port) {
  struct sockaddr_storage from;
  socklen_t n = sizeof from;
  ssize_t got = recvfrom(fd, bytes, count, MSG_DONTWAIT, (struct sockaddr *)&from, &n);
  if (got < 0) return -errno;
  *length = unpack(&from, address, port);
  return (int)got;
}

uint16_t platform_udp_port(int fd) {
  struct sockaddr_storage s;
  socklen_t n = sizeof s;
  uint8_t address[16];
  uint16_t port = 0;
  if (getsockname(fd, (struct sockaddr *)&s, &n) != 0) return 0;
  unpack(&s, address, &port);
  return port;
}

int platform_udp_error(int fd, uint8_t address[16], int *length, uint16_t *port) {
  char data[64], control[512];
  struct sockaddr_storage from;
  struct iovec iov = {data, sizeof data};
  struct msghdr m = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  if (recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return 0;
  *length = unpack(&from, address, port);
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
    int v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
    int v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
    if (v4 || v6) {
      struct sock_extended_err e;
      memcpy(&e, CMSG_DATA(c), sizeof e);
      return (int)e.ee_errno ? (int)e.ee_errno : EIO;
    }
  }
  return EIO;
}

int platform_route(const uint8_t *address, int length, uint8_t local[16]) {
  struct sockaddr_storage s;
  socklen_t n = fill(&s, address, length, 9);
  int fd = socket(length == 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  if (connect(fd, (struct sockaddr *)&s, n) != 0) {
    int e = errno;
    close(fd);
    return -e;
  }
  struct sockaddr_storage l;
  n = sizeof l;
  int result = getsockname(fd, (struct sockaddr *)&l, &n) == 0 ? unpack(&l, local, NULL) : -errno;
  close(fd);
  return result;
}

int platform_netlink_open(void) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return -errno;
  struct sockaddr_nl s;
  memset(&s, 0, sizeof s);
  s.nl_family = AF_NETLINK;
  s.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE;
  if (bind(fd, (struct sockaddr *)&s, sizeof s) != 0) {
    int e = errno;
    close(fd);
    return -e;
  }
  return fd;
}
