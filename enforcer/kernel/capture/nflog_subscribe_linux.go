package capture

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// Configuration (linux/netfilter/nfnetlink_log.h, enum nfulnl_attr_config).
const (
	msgConfig = unix.NFNL_SUBSYS_ULOG<<8 | 1 // NFULNL_MSG_CONFIG

	cfgCmd       = 1
	cfgMode      = 2
	cfgTimeout   = 4
	cfgThreshold = 5
	cfgFlags     = 6

	cmdBind       = 1 // NFULNL_CFG_CMD_BIND
	copyPacket    = 2 // NFULNL_COPY_PACKET
	flagSeq       = 1 // NFULNL_CFG_F_SEQ: number the packets
	copyRange     = 0xffff
	flushTimeout  = 1 // in 10 ms: how long a packet may wait for the threshold
	answerTimeout = 5 * time.Second
)

// subscribe binds the socket to the group: whole packets (the rules cut them),
// numbered, so that losses show.
func subscribe(sock *nfnl.Socket, cfg NFLogConfig) error {
	bind := func(b []byte) []byte { return nfnl.Uint8(b, cfgCmd, cmdBind) }
	if err := configure(sock, msgConfig, 1, cfg.Group, bind); err != nil {
		return explainBind(err, cfg.Group)
	}
	return configure(sock, msgConfig, 2, cfg.Group, func(b []byte) []byte {
		mode := [6]byte{0, 0, copyRange >> 8, copyRange & 0xff, copyPacket, 0} // struct nfulnl_msg_config_mode
		b = nfnl.Bytes(b, cfgMode, mode[:])
		b = nfnl.Uint16(b, cfgFlags, flagSeq)
		b = nfnl.Uint32(b, cfgThreshold, cfg.Threshold)
		return nfnl.Uint32(b, cfgTimeout, flushTimeout)
	})
}

// configure sends one configuration message and waits for its answer.
func configure(sock *nfnl.Socket, message uint16, seq uint32, group uint16, body func([]byte) []byte) error {
	b, start := nfnl.Begin(nil, message, nfnl.FlagRequest|nfnl.FlagAck, seq, unix.AF_UNSPEC, group)
	if err := sock.Send(nfnl.End(body(b), start)); err != nil {
		return err
	}
	buf := make([]byte, 4<<10)
	for {
		n, err := sock.Receive(buf, answerTimeout)
		if err != nil {
			return fmt.Errorf("netlink receive: %w", err)
		}
		for m, rest, ok := nfnl.Next(buf[:n]); ok; m, rest, ok = nfnl.Next(rest) {
			if errno, isError := m.Errno(); isError && m.Seq == seq {
				if errno != 0 {
					return unix.Errno(errno)
				}
				return nil
			}
			// A packet may already come in between. A copy is not missed: the
			// engine sees the next ones of its flow. A held one does not come
			// before its queue has a mode (bindQueues).
		}
	}
}

// explainBind says what is behind a refused bind. The kernel says EPERM both
// without the capability and when somebody else has the group.
func explainBind(err error, group uint16) error {
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EBUSY):
		if port, ok := groupOwner(group); ok {
			return fmt.Errorf("%w (netlink port %d, usually its process id)", ErrGroupBusy, port)
		}
		return fmt.Errorf("%w: needs CAP_NET_ADMIN in this network namespace", err)
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOENT):
		return fmt.Errorf("%w: the kernel has no NFLOG (module nfnetlink_log)", err)
	}
	return err
}

// groupOwner finds who reads a group: the first two numbers of a line are the
// group and the reader's netlink port (nfnetlink_log.c, seq_show).
func groupOwner(group uint16) (port int, ok bool) {
	return owner("/proc/thread-self/net/netfilter/nfnetlink_log", group)
}
