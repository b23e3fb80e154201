package ipset

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// Commands, attributes and flags of linux/netfilter/ipset/ip_set.h.
const (
	subsystem = 6 << 8 // NFNL_SUBSYS_IPSET
	protocol  = 6      // IPSET_PROTOCOL_MIN: of all kernels since 3.x

	cmdCreate  = 2
	cmdDestroy = 3
	cmdFlush   = 4
	cmdList    = 7
	cmdAdd     = 9
	cmdDel     = 10
	cmdTest    = 11
	cmdType    = 13

	attrProtocol = 1
	attrSetName  = 2
	attrTypeName = 3
	attrRevision = 4
	attrFamily   = 5
	attrFlags    = 6
	attrData     = 7

	dataIP        = 1
	dataCIDR      = 3
	dataPort      = 4
	dataTimeout   = 6
	dataProto     = 7
	dataCADTFlags = 8
	dataMark      = 10
	dataEther     = 17 // of an element; of a set it is something else
	dataIP2       = 20
	dataCIDR2     = 21
	dataIface     = 23
	dataMaxElem   = 19 // of a set
	dataElements  = 24 // of a set: how many it has now
	dataSkbMark   = 27
	dataSkbPrio   = 28
	dataSkbQueue  = 29

	address4 = 1 // IPSET_ATTR_IPADDR_IPV4
	address6 = 2

	flagListHeader  = 1 << 2 // IPSET_FLAG_LIST_HEADER: without elements
	flagWithSkbInfo = 1 << 6 // IPSET_FLAG_WITH_SKBINFO

	netOrder = 0x4000 // NLA_F_NET_BYTEORDER: the kernel refuses numbers without it
)

// Errors of ipset's own (enum ipset_errno), past those of the system.
const (
	errProtocol  = 4097 // IPSET_ERR_PROTOCOL
	errFindType  = 4098 // IPSET_ERR_FIND_TYPE
	errBusy      = 4100
	errExist     = 4103
	errIPv4      = 4109
	errIPv6      = 4110
	errTimeout   = 4107
	errSkbInfo   = 4114 // IPSET_ERR_SKBINFO
	errHashFull  = 4352 // IPSET_ERR_HASH_FULL
	flagExcl     = 0x200
	answerWait   = 10 * time.Second
	answerBuffer = 8 << 20
)

var (
	// ErrNoSet says that there is no such ipset.
	ErrNoSet = errors.New("no such ipset")

	errNoType   = errors.New("this kernel has no ipset of that type; its module may be missing")
	errInUse    = errors.New("rules use it")
	errExists   = errors.New("an ipset of that name is there already")
	errFull     = errors.New("the set is full")
	errNoTime   = errors.New("the set has no timeout, and the block gives one")
	errNoSkb    = errors.New("the set has no skbinfo, and the block gives some")
	errElement  = errors.New("the set is of another type or IP version than the block")
	errNoIpset  = errors.New("this kernel has no ipsets; the module ip_set may be missing")
	errNoAnswer = errors.New("the kernel gave no answer")
)

// refusal words an error of the kernel's.
func refusal(errno uint32) error {
	switch errno {
	case uint32(unix.ENOENT):
		return ErrNoSet
	case uint32(unix.EPERM):
		return fmt.Errorf("%w: needs CAP_NET_ADMIN in this network namespace", unix.EPERM)
	case uint32(unix.EINVAL):
		return fmt.Errorf("%w: the kernel knows no such ipset, or no ipsets", unix.EINVAL)
	case uint32(unix.EOPNOTSUPP):
		return errNoIpset
	case errFindType:
		return errNoType
	case errBusy:
		return errInUse
	case errExist, uint32(unix.EEXIST):
		return errExists
	case errHashFull:
		return errFull
	case errTimeout:
		return errNoTime
	case errSkbInfo:
		return errNoSkb
	case errProtocol, errIPv4, errIPv6:
		return errElement
	}
	if errno < 4096 {
		return unix.Errno(errno)
	}
	return fmt.Errorf("ipset error %d", errno)
}

// request is a list of messages.
type request struct {
	buf []byte
	seq uint32
}

// begin starts a message about a set; the caller calls end.
func (q *request) begin(cmd uint16, flags uint16, version uint8, set string) (b []byte, start int) {
	family := uint8(unix.AF_INET)
	if version == 6 {
		family = unix.AF_INET6
	}
	q.seq++
	b, start = nfnl.Begin(q.buf, subsystem|cmd, nfnl.FlagRequest|flags, q.seq, family, 0)
	b = nfnl.Uint8(b, attrProtocol, protocol)
	return nfnl.String(b, attrSetName, set), start
}

func (q *request) end(b []byte, start int) { q.buf = nfnl.End(b, start) }

// exchange sends the messages, of which the last asks for an answer, and
// collects errors by sequence number. Answers go to each.
func (q *request) exchange(each func(m nfnl.Message)) (refused map[uint32]uint32, err error) {
	s, err := nfnl.Open(nfnl.Options{Acks: true, ReadBuffer: answerBuffer, WriteBuffer: 1<<16 + 2*len(q.buf)})
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.Close() }()
	if err := s.Send(q.buf); err != nil {
		return nil, err
	}
	refused = make(map[uint32]uint32)
	in := make([]byte, 1<<16)
	for {
		n, err := s.Receive(in, answerWait)
		if errors.Is(err, unix.ENOBUFS) {
			continue
		}
		if err != nil {
			return nil, errNoAnswer
		}
		for m, rest, ok := nfnl.Next(in[:n]); ok; m, rest, ok = nfnl.Next(rest) {
			errno, isError := m.Errno()
			switch {
			case m.IsDone():
				return refused, nil
			case !isError:
				if each != nil {
					each(m)
				}
				continue
			case errno != 0:
				refused[m.Seq] = errno
			}
			if m.Seq == q.seq {
				return refused, nil
			}
		}
	}
}

// number32 appends a number as the kernel wants it.
func number32(b []byte, typ uint16, v uint32) []byte { return nfnl.Uint32(b, typ|netOrder, v) }

// addressAttr appends an address.
func addressAttr(b []byte, typ uint16, addr []byte) []byte {
	b, nest := nfnl.Nest(b, typ)
	if len(addr) == 4 {
		b = nfnl.Bytes(b, address4|netOrder, addr)
	} else {
		b = nfnl.Bytes(b, address6|netOrder, addr)
	}
	return nfnl.Unnest(b, nest)
}

func seconds(n uint32) time.Duration { return time.Duration(n) * time.Second }

func uint64Of(high, low uint32) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, high), low)
}
