package nft

import (
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// Account is what a counter or a quota has seen, as a whole or of one host.
type Account struct {
	Name           string // of the object or the set
	Kind           artifact.ObjectKind
	Host           netip.Addr // of a set's element; not valid for an object
	Packets, Bytes uint64     // a quota counts bytes only
	Quota          uint64     // bytes; of a quota
}

// Accounts reads what the counters and quotas of a ruleset have seen. What the
// kernel does not have is left out.
func Accounts(rs *artifact.Ruleset) ([]Account, error) {
	number, err := familyNumber(rs.Family, rs.Table)
	if err != nil {
		return nil, err
	}
	s, err := nfnl.Open(nfnl.Options{ReadBuffer: 4 << 20})
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.Close() }()
	r := reader{socket: s, family: number, table: rs.Table}
	out, err := r.objectAccounts()
	if err != nil {
		return nil, fmt.Errorf("read accounts of %s: %w", rs.Table, err)
	}
	for _, set := range rs.Sets {
		if set.Accounts != artifact.AccountCounts && set.Accounts != artifact.AccountQuota {
			continue
		}
		list, err := r.hostAccounts(set)
		if err != nil {
			return nil, fmt.Errorf("read accounts of %s: %w", set.Name, err)
		}
		out = append(out, list...)
	}
	return out, nil
}

func (r *reader) objectAccounts() ([]Account, error) {
	var out []Account
	ours := func(b []byte) []byte { return nfnl.String(b, unix.NFTA_OBJ_TABLE, r.table) }
	err := r.dump(unix.NFT_MSG_GETOBJ, ours, func(a attrs) {
		o, ok := decodeObject(a)
		if !ok || a.text(unix.NFTA_OBJ_TABLE) != r.table {
			return
		}
		account := accountOf(string(o.Kind), splitAttrs(a.by[unix.NFTA_OBJ_DATA]))
		account.Name = o.Name
		out = append(out, account)
	})
	return out, err
}

// accountOf reads a counter or a quota, object or expression.
func accountOf(kind string, data attrs) Account {
	if kind == string(artifact.ObjectQuota) {
		return Account{Kind: artifact.ObjectQuota, Bytes: data.u64(unix.NFTA_QUOTA_CONSUMED), Quota: data.u64(unix.NFTA_QUOTA_BYTES)}
	}
	return Account{Kind: artifact.ObjectCounter, Packets: data.u64(unix.NFTA_COUNTER_PACKETS), Bytes: data.u64(unix.NFTA_COUNTER_BYTES)}
}

// hostAccounts reads the elements of a set that rules fill.
func (r *reader) hostAccounts(set artifact.Set) ([]Account, error) {
	which := func(b []byte) []byte {
		b = nfnl.String(b, unix.NFTA_SET_ELEM_LIST_TABLE, r.table)
		return nfnl.String(b, unix.NFTA_SET_ELEM_LIST_SET, set.Name)
	}
	var out []Account
	err := r.dump(unix.NFT_MSG_GETSETELEM, which, func(a attrs) {
		for elem, rest, ok := nfnl.NextAttr(a.by[unix.NFTA_SET_ELEM_LIST_ELEMENTS]); ok; elem, rest, ok = nfnl.NextAttr(rest) {
			e := splitAttrs(elem.Data)
			host, valid := netip.AddrFromSlice(value(e.by[unix.NFTA_SET_ELEM_KEY]))
			x := splitAttrs(e.by[unix.NFTA_SET_ELEM_EXPR])
			if !valid || x.text(unix.NFTA_EXPR_NAME) == "" {
				continue
			}
			account := accountOf(x.text(unix.NFTA_EXPR_NAME), splitAttrs(x.by[unix.NFTA_EXPR_DATA]))
			account.Name, account.Host = set.Name, host
			out = append(out, account)
		}
	})
	if errors.Is(err, unix.ENOENT) { // not applied
		return nil, nil
	}
	return out, err
}
