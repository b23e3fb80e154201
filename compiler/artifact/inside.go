package artifact

import "net/netip"

// Inside are the networks that count as local: the private ranges (RFC 1918,
// RFC 4193), the link itself (RFC 3927, RFC 4291), the host, and the
// operator's own.
func (s Settings) Inside() []netip.Prefix {
	var out []netip.Prefix
	for _, p := range []string{
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8",
		"fc00::/7", "fe80::/10", "::1/128",
	} {
		out = append(out, netip.MustParsePrefix(p))
	}
	return append(out, s.LocalNetworks...)
}
