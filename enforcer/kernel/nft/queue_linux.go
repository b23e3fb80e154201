package nft

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"
	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// ErrNoQueue says that the kernel cannot hand packets to netpold and wait.
var ErrNoQueue = errors.New("hold = true: the kernel can queue packets neither by nft_queue (CONFIG_NFT_QUEUE) nor by the target NFQUEUE (CONFIG_NFT_COMPAT and CONFIG_NETFILTER_XT_TARGET_NFQUEUE); load one of the two (modprobe nft_queue), or take hold out of the policies")

// The target NFQUEUE of x_tables, which nft_compat runs in tables of nftables:
// struct xt_NFQ_info_v3 is number, count of queues and flags, each of two bytes
// (linux/netfilter/xt_NFQUEUE.h).
const (
	targetName     = "NFQUEUE"
	targetRevision = 3
	targetBytes    = 8 // XT_ALIGN

	flagBypass = 1 // NFQ_FLAG_BYPASS and NFT_QUEUE_FLAG_BYPASS
)

func encodeQueue(s artifact.Statement) ([]expr.Any, error) {
	e := &expr.Queue{Num: s.Group, Total: 1}
	switch s.Name {
	case artifact.QueueBypass:
		e.Flag = flagBypass
	case "":
	default:
		return nil, fmt.Errorf("bad option %q", s.Name)
	}
	return []expr.Any{e}, nil
}

// queueTargets are the expressions with the target of x_tables for each native
// queue.
func queueTargets(exprs []expr.Any) []expr.Any {
	out := slices.Clone(exprs)
	for i, e := range out {
		q, ok := e.(*expr.Queue)
		if !ok {
			continue
		}
		info := make(xt.Unknown, targetBytes)
		binary.NativeEndian.PutUint16(info, q.Num)
		binary.NativeEndian.PutUint16(info[2:], q.Total)
		binary.NativeEndian.PutUint16(info[4:], uint16(q.Flag))
		out[i] = &expr.Target{Name: targetName, Rev: targetRevision, Info: &info}
	}
	return out
}

// decodeQueue reads a native queue; none of several queues.
func decodeQueue(a attrs) op {
	num, total, flags := nftU16(a, unix.NFTA_QUEUE_NUM), nftU16(a, unix.NFTA_QUEUE_TOTAL), nftU16(a, unix.NFTA_QUEUE_FLAGS)
	if !a.only(unix.NFTA_QUEUE_NUM, unix.NFTA_QUEUE_TOTAL, unix.NFTA_QUEUE_FLAGS) {
		return op{}
	}
	return queueOp(num, total, flags)
}

// decodeTarget reads the target NFQUEUE of x_tables.
func decodeTarget(a attrs) op {
	info := a.by[unix.NFTA_TARGET_INFO]
	if a.text(unix.NFTA_TARGET_NAME) != targetName || a.u32(unix.NFTA_TARGET_REV) != targetRevision || len(info) < 6 {
		return op{}
	}
	return queueOp(binary.NativeEndian.Uint16(info), binary.NativeEndian.Uint16(info[2:]), binary.NativeEndian.Uint16(info[4:]))
}

func queueOp(num, total, flags uint16) op {
	if total != 1 || flags&^flagBypass != 0 {
		return op{}
	}
	o := op{kind: opQueue, group: uint32(num)}
	if flags != 0 {
		o.prefix = artifact.QueueBypass
	}
	return o
}

func nftU16(a attrs, typ int) uint16 {
	if len(a.by[typ]) < 2 {
		return 0
	}
	return binary.BigEndian.Uint16(a.by[typ])
}

// QueueForm is how a kernel queues packets.
type QueueForm string

// Forms of a queue.
const (
	QueueNative QueueForm = "nft_queue"
	QueueTarget QueueForm = "xt_NFQUEUE"
)

// Queue finds out how this kernel queues packets; ErrNoQueue if it does not.
func Queue() (QueueForm, error) {
	native := tryQueue(false)
	if native == nil {
		return QueueNative, nil
	}
	if errors.Is(native, unix.EPERM) {
		return "", native
	}
	if err := tryQueue(true); err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoQueue, err)
	}
	return QueueTarget, nil
}

// tryQueue has the kernel check a rule that queues.
func tryQueue(target bool) error {
	const table, chain = "np_probe", "np_probe"
	b := newBatch(0)
	b.queueTarget = target
	b.table("add", unix.NFT_MSG_NEWTABLE, nfnl.FlagCreate, unix.NFPROTO_INET, table)
	if err := b.chain(unix.NFPROTO_INET, table, artifact.Chain{Name: chain, Hook: "output", Type: "filter"}); err != nil {
		return err
	}
	if err := b.rule(unix.NFPROTO_INET, table, chain, artifact.Rule{ID: "probe", Do: []artifact.Statement{{Kind: artifact.DoQueue, Name: artifact.QueueBypass}}}); err != nil {
		return err
	}
	return b.send()
}

// chooseQueue decides how the batch's rules queue, if any does.
func (b *batch) chooseQueue(rs *artifact.Ruleset) error {
	queues := func(r artifact.Rule) bool {
		return slices.ContainsFunc(r.Do, func(s artifact.Statement) bool { return s.Kind == artifact.DoQueue })
	}
	if !slices.ContainsFunc(rs.Chains, func(c artifact.Chain) bool { return slices.ContainsFunc(c.Rules, queues) }) {
		return nil
	}
	form, err := Queue()
	b.queueTarget = form == QueueTarget
	return err
}
