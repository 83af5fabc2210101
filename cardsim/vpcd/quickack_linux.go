package vpcd

import (
	"net"
	"syscall"
)

// quickAck returns a function that sets TCP_QUICKACK on the connection (tcp(7): "not permanent"). Failure is harmless:
// the connection is only slower.
func quickAck(conn net.Conn) func() {
	s, ok := conn.(syscall.Conn)
	if !ok {
		return func() {}
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return func() {}
	}
	set := func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
	}
	return func() { _ = raw.Control(set) }
}
