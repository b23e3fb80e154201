package nft

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// readAttempts bounds how often Read starts again because somebody changed
// the ruleset while it was being read.
const readAttempts = 256

// answerTimeout is how long a dump may stay silent. The kernel answers within
// the system call, so this only bounds a broken kernel.
const answerTimeout = 5 * time.Second

// Read returns the live table; names gives the names of label bits for
// summaries and may be nil. A table that is not there is no error: Present is
// false then. What it returns is one consistent moment of the ruleset, that of
// Generation.
func Read(family, table string, names map[int]string) (State, error) {
	number, err := familyNumber(family, table)
	if err != nil {
		return State{}, err
	}
	s, err := nfnl.Open(nfnl.Options{ReadBuffer: 4 << 20})
	if err != nil {
		return State{}, err
	}
	defer func() { _ = s.Close() }()
	r := reader{socket: s, family: number, table: table, names: names}
	for range readAttempts {
		before, err := r.generation()
		if err != nil {
			return State{}, err
		}
		state, err := r.state()
		if err != nil && !errors.Is(err, unix.EINTR) {
			return State{}, fmt.Errorf("read nftables table %s: %w", table, err)
		}
		after, genErr := r.generation()
		if genErr != nil {
			return State{}, genErr
		}
		if err == nil && before == after {
			state.Family, state.Table, state.Generation = family, table, before
			return state, nil
		}
	}
	return State{}, fmt.Errorf("read nftables table %s: the ruleset changes faster than it can be read", table)
}

// Counters reads what the table's counters show, in rule order.
func Counters(family, table string, names map[int]string) ([]Count, error) {
	s, err := Read(family, table, names)
	if err != nil {
		return nil, err
	}
	return s.Counts(), nil
}

type reader struct {
	socket *nfnl.Socket
	seq    uint32
	family uint8
	table  string
	names  map[int]string
	buf    []byte
}

func (r *reader) generation() (uint32, error) {
	var id uint32
	err := r.ask(unix.NFT_MSG_GETGEN, nfnl.FlagAck, unix.AF_UNSPEC, nil, func(m nfnl.Message) {
		for a, rest, ok := nfnl.NextAttr(m.Data); ok; a, rest, ok = nfnl.NextAttr(rest) {
			if a.Type == unix.NFTA_GEN_ID {
				id = a.Uint32()
			}
		}
	})
	if err != nil {
		return 0, fmt.Errorf("read nftables generation: %w", err)
	}
	return id, nil
}

// state reads the table in several dumps, each filtered here as well, for
// kernels that ignore the filter of a request.
func (r *reader) state() (State, error) {
	var st State
	err := r.dump(unix.NFT_MSG_GETTABLE, nil, func(a attrs) {
		if a.text(unix.NFTA_TABLE_NAME) == r.table {
			st.Present, st.Persist, st.Owner = true, a.u32(unix.NFTA_TABLE_FLAGS)&tablePersist != 0, a.u32(tableOwner)
		}
	})
	if err != nil || !st.Present {
		return st, err
	}
	ours := func(b []byte) []byte { return nfnl.String(b, unix.NFTA_RULE_TABLE, r.table) }
	index := make(map[string]int)
	err = r.dump(unix.NFT_MSG_GETCHAIN, ours, func(a attrs) {
		if a.text(unix.NFTA_CHAIN_TABLE) == r.table {
			c := decodeChain(a)
			index[c.Name] = len(st.Chains)
			st.Chains = append(st.Chains, c)
		}
	})
	if err != nil {
		return st, err
	}
	err = r.dump(unix.NFT_MSG_GETRULE, ours, func(a attrs) {
		if i, ok := index[a.text(unix.NFTA_RULE_CHAIN)]; ok && a.text(unix.NFTA_RULE_TABLE) == r.table {
			st.Chains[i].Rules = append(st.Chains[i].Rules, decodeRule(a, r.names))
		}
	})
	if err != nil {
		return st, err
	}
	sets, odd, err := r.sets(ours)
	if err != nil {
		return st, err
	}
	st.Sets = sets
	objects, strangers, err := r.objects(ours)
	if err != nil {
		return st, err
	}
	flowtables, others, err := r.flowtables(ours)
	st.Objects, st.Flowtables, st.Strangers = objects, flowtables, slices.Concat(odd, strangers, others)
	return st, err
}

// sets reads the sets that are of a kind we make, by name; odd are the others.
func (r *reader) sets(ours func([]byte) []byte) (sets []Set, odd []string, err error) {
	var found []artifact.Set
	err = r.dump(unix.NFT_MSG_GETSET, ours, func(a attrs) {
		if a.text(unix.NFTA_SET_TABLE) != r.table || a.u32(unix.NFTA_SET_FLAGS)&unix.NFT_SET_ANONYMOUS != 0 {
			return // an anonymous set is part of its rule, which is not ours then
		}
		if s, ok := decodeSet(a); ok {
			found = append(found, s)
			return
		}
		odd = append(odd, fmt.Sprintf("set %q", a.text(unix.NFTA_SET_NAME)))
	})
	if err != nil {
		return nil, nil, err
	}
	for _, s := range found {
		if s.Heartbeat > 0 || s.Dynamic() { // its elements come and go
			sets = append(sets, canonicalSet(s))
			continue
		}
		var bounds []bound
		plain := true
		which := func(b []byte) []byte { return nfnl.String(ours(b), unix.NFTA_SET_ELEM_LIST_SET, s.Name) }
		err := r.dump(unix.NFT_MSG_GETSETELEM, which, func(a attrs) {
			list, ok := decodeBounds(a)
			bounds, plain = append(bounds, list...), plain && ok
		})
		if err != nil {
			return nil, nil, err
		}
		if !plain {
			odd = append(odd, fmt.Sprintf("set %q", s.Name))
			continue
		}
		s.Elements = elementsOf(s.Type, bounds)
		sets = append(sets, canonicalSet(s))
	}
	slices.SortFunc(sets, func(a, b Set) int { return cmp.Compare(a.Name, b.Name) })
	slices.Sort(odd)
	return sets, odd, nil
}

// objects reads the counters and quotas, by name; strangers are what netpol
// never makes but others may have put into its table. In all these messages
// attribute 1 is the table, 2 the name.
func (r *reader) objects(ours func([]byte) []byte) (objects []artifact.Object, strangers []string, err error) {
	err = r.dump(unix.NFT_MSG_GETOBJ, ours, func(a attrs) {
		if a.text(unix.NFTA_OBJ_TABLE) != r.table {
			return
		}
		if o, ok := decodeObject(a); ok {
			objects = append(objects, o)
			return
		}
		strangers = append(strangers, fmt.Sprintf("object %q", a.text(unix.NFTA_OBJ_NAME)))
	})
	slices.SortFunc(objects, func(a, b artifact.Object) int { return cmp.Compare(a.Name, b.Name) })
	slices.Sort(strangers)
	return objects, strangers, err
}

func (r *reader) dump(msg uint16, body func([]byte) []byte, each func(attrs)) error {
	return r.ask(msg, nfnl.FlagDump, r.family, body, func(m nfnl.Message) {
		if m.Family == r.family {
			each(splitAttrs(m.Data))
		}
	})
}

// ask sends one request and calls each for every answer. unix.EINTR says that
// a dump was not of one moment.
func (r *reader) ask(msg, flags uint16, family uint8, body func([]byte) []byte, each func(nfnl.Message)) error {
	r.seq++
	b, start := nfnl.Begin(nil, subsystem|msg, nfnl.FlagRequest|flags, r.seq, family, 0)
	if body != nil {
		b = body(b)
	}
	if err := r.socket.Send(nfnl.End(b, start)); err != nil {
		return err
	}
	if r.buf == nil {
		r.buf = make([]byte, 1<<16) // the kernel's dumps come in at most 32 KiB
	}
	interrupted := false
	for {
		n, err := r.socket.Receive(r.buf, answerTimeout)
		if err != nil {
			return fmt.Errorf("netlink receive: %w", err)
		}
		for m, rest, ok := nfnl.Next(r.buf[:n]); ok; m, rest, ok = nfnl.Next(rest) {
			if m.Seq != r.seq {
				continue // left over from an interrupted request
			}
			interrupted = interrupted || m.Flags&nfnl.FlagDumpInterrupted != 0
			if end, err := finished(m); end {
				if err == nil && interrupted {
					err = unix.EINTR
				}
				return err
			}
			each(m)
		}
	}
}

// finished reports the last message of an answer and what it says.
func finished(m nfnl.Message) (end bool, err error) {
	errno, isError := m.Errno()
	if !isError && !m.IsDone() {
		return false, nil
	}
	if m.IsDone() {
		errno = m.DumpErrno()
	}
	switch unix.Errno(errno) {
	case 0:
		return true, nil
	case unix.EPERM:
		return true, fmt.Errorf("%w: needs CAP_NET_ADMIN in this network namespace", unix.EPERM)
	default:
		return true, unix.Errno(errno)
	}
}
