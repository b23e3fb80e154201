package view

import (
	"fmt"
	"io"
	"net/netip"
	"strings"
)

// Usage is what the counters and quotas of policies have seen.
type Usage struct {
	Accounts []Account `json:"accounts"`
}

// Account is one of them.
type Account struct {
	Policy  string     `json:"policy"`
	Kind    string     `json:"kind"` // counter, quota
	Host    netip.Addr `json:"host,omitzero"`
	Packets uint64     `json:"packets,omitempty"`
	Bytes   uint64     `json:"bytes"`
	Quota   uint64     `json:"quota,omitempty"` // bytes
}

// usageVersion goes up when a reader of the JSON form would have to change.
const usageVersion = 1

// JSON prints the accounts as one object.
func (u Usage) JSON(w io.Writer) error {
	if u.Accounts == nil {
		u.Accounts = []Account{}
	}
	return writeJSON(w, struct {
		Version int `json:"version"`
		Usage
	}{usageVersion, u})
}

// Text prints the accounts as a table.
func (u Usage) Text(w io.Writer, st Style) error {
	var b strings.Builder
	if len(u.Accounts) == 0 {
		b.WriteString("No policy counts or has a quota.\n")
		_, err := io.WriteString(w, b.String())
		return err
	}
	t := table(&b)
	fmt.Fprintf(t, "POLICY\tWHAT\tHOST\tPACKETS\tBYTES\tOF\n")
	for _, a := range u.Accounts {
		host, packets, of := "all", "-", "-"
		if a.Host.IsValid() {
			host = a.Host.String()
		}
		if a.Kind != "quota" {
			packets = fmt.Sprint(a.Packets)
		}
		if a.Quota > 0 {
			of = fmt.Sprintf("%d (%d %%)", a.Quota, percent(a.Bytes, a.Quota))
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%s\n", tableCell(a.Policy), a.Kind, host, packets, a.Bytes, of)
	}
	flush(t)
	_, err := io.WriteString(w, b.String())
	return err
}

// percent is a share in whole percent, also of numbers near the top of 64 bits.
func percent(part, whole uint64) uint64 { return uint64(float64(part) / float64(whole) * 100) }
