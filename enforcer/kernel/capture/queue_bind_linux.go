package capture

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// ErrQueueBusy says that another process reads the queue.
var ErrQueueBusy = errors.New("another process reads this NFQUEUE queue")

// Configuration (linux/netfilter/nfnetlink_queue.h, enum nfqnl_attr_config).
const (
	msgQueueConfig = unix.NFNL_SUBSYS_QUEUE<<8 | 2 // NFQNL_MSG_CONFIG

	queueCmd    = 1
	queueParams = 2
	queueMaxLen = 3
	queueMask   = 4
	queueFlags  = 5

	queueBind   = 1 // NFQNL_CFG_CMD_BIND
	queueBindPF = 3 // NFQNL_CFG_CMD_PF_BIND, which has not done anything since 3.8

	queueFailOpen = 1 << 0 // NFQA_CFG_F_FAIL_OPEN: what does not fit goes on
	queueGSO      = 1 << 2 // NFQA_CFG_F_GSO: packets as they are, not cut into frames

	// heldBytes is how much of a packet is read: as much as of copied ones, of
	// which receive offload makes more than a frame.
	heldBytes = 8192
)

// bindQueues gets the queues. None gives packets before all are bound: one that
// came while an answer is waited for would be lost.
func bindQueues(sock *nfnl.Socket, cfg QueueConfig) error {
	for i := range uint16(2 * artifact.HoldQueues) {
		err := configure(sock, msgQueueConfig, uint32(i), cfg.First+i, func(b []byte) []byte {
			return nfnl.Bytes(b, queueCmd, []byte{queueBind, 0, 0, 0}) // struct nfqnl_msg_config_cmd
		})
		if err != nil {
			return fmt.Errorf("open nfqueue %d: %w", cfg.First+i, explainQueue(err, cfg.First+i))
		}
	}
	var out []byte
	for i := range uint16(2 * artifact.HoldQueues) {
		flags := uint32(queueGSO)
		if i < artifact.HoldClosed {
			flags |= queueFailOpen
		}
		var params [5]byte // struct nfqnl_msg_config_params
		binary.BigEndian.PutUint32(params[:], heldBytes)
		params[4] = copyPacket
		var start int
		out, start = nfnl.Begin(out, msgQueueConfig, nfnl.FlagRequest, uint32(i), unix.AF_UNSPEC, cfg.First+i)
		out = nfnl.Bytes(out, queueParams, params[:])
		out = nfnl.Uint32(out, queueFlags, flags)
		out = nfnl.Uint32(out, queueMask, queueGSO|queueFailOpen)
		out = nfnl.End(nfnl.Uint32(out, queueMaxLen, uint32(cfg.Packets)), start)
	}
	if err := sock.Send(out); err != nil {
		return fmt.Errorf("open nfqueue: %w", err)
	}
	return nil
}

// CanQueue reports whether the kernel has queues to read; it binds none.
func CanQueue() error {
	sock, err := nfnl.Open(nfnl.Options{Acks: true})
	if err != nil {
		return fmt.Errorf("open nfqueue: %w", err)
	}
	defer func() { _ = sock.Close() }()
	err = configure(sock, msgQueueConfig, 1, 0, func(b []byte) []byte {
		return nfnl.Bytes(b, queueCmd, []byte{queueBindPF, 0, 0, unix.AF_INET})
	})
	if err != nil {
		return fmt.Errorf("open nfqueue: %w", explainQueue(err, 0))
	}
	return nil
}

// explainQueue says what is behind a refused bind. The kernel says EPERM without
// the capability; EBUSY, or EPERM on older ones, when somebody else has the queue.
func explainQueue(err error, number uint16) error {
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EBUSY):
		if port, ok := queueOwner(number); ok {
			return fmt.Errorf("%w (netlink port %d, usually its process id)", ErrQueueBusy, port)
		}
		return fmt.Errorf("%w: needs CAP_NET_ADMIN in this network namespace", err)
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOENT):
		return fmt.Errorf("%w: the kernel has no NFQUEUE (module nfnetlink_queue)", err)
	}
	return err
}

// queueOwner finds who reads a queue: the first two numbers of a line are the
// queue and the reader's netlink port (nfnetlink_queue.c, seq_show).
func queueOwner(number uint16) (port int, ok bool) {
	return owner("/proc/thread-self/net/netfilter/nfnetlink_queue", number)
}

// owner reads the table of a subsystem's readers.
func owner(table string, number uint16) (port int, ok bool) {
	f, err := os.Open(table)
	if err != nil {
		return 0, false
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 || fields[0] != strconv.Itoa(int(number)) {
			continue
		}
		port, err = strconv.Atoi(fields[1])
		return port, err == nil
	}
	return 0, false
}
