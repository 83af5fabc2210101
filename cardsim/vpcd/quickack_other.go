//go:build !linux

package vpcd

import "net"

// quickAck does nothing: only Linux has TCP_QUICKACK, and only there does pcscd run with this driver's delay.
func quickAck(net.Conn) func() { return func() {} }
