package doctor

import (
	"fmt"
	"regexp"
	"strconv"
)

// nftVersion finds major and minor number in "nftables v1.0.6 (Lester Gooch #5)".
var nftVersion = regexp.MustCompile(`v(\d+)\.(\d+)(\.\d+)*`)

// tableOwner is about table_owner = true, and says nothing of sets without it.
func tableOwner(m Machine) []Finding {
	const check = "table owner"
	if m.Bundle == nil || !m.Bundle.Ruleset.Persist {
		return nil
	}
	if m.Persist != nil {
		return []Finding{{check, Fail, m.Persist.Error(), "a kernel from Linux 6.9 on, or take table_owner = true out of the netpol block"}}
	}
	if v := nftVersion.FindStringSubmatch(m.NFT); v != nil && older(v) {
		return []Finding{{
			check, Warn,
			fmt.Sprintf("nft %s does not know the flag persist: it lists the table as \"flags \" or \"flags owner\", and a saved \"nft list ruleset\" does not load again, or loads a table that goes with nft", v[0][1:]),
			"nft 1.1, or leave the table inet netpol out of what is saved: netpol restore brings it back",
		}}
	}
	return good(check, "the kernel keeps the table for netpold")
}

// older says that a version is before 1.1.
func older(v []string) bool {
	major, _ := strconv.Atoi(v[1]) // digits
	minor, _ := strconv.Atoi(v[2])
	return major < 1 || major == 1 && minor < 1
}
