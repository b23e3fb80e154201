package fact

import "testing"

func TestCanonical(t *testing.T) {
	for _, tt := range []struct {
		name, attr, in, want string
		ok                   bool
	}{
		{"usual", "src_mac", "02:00:5e:10:00:01", "02:00:5e:10:00:01", true},
		{"capitals and hyphens", "src_mac", "02-00-5E-10-00-01", "02:00:5e:10:00:01", true},
		{"Cisco", "src_mac", "0200.5e10.0001", "02:00:5e:10:00:01", true},
		{"not known", "src_mac", "", "", true},
		{"too short", "src_mac", "02:00:5e", "", false},
		{"InfiniBand", "src_mac", "02:00:5e:10:00:00:00:01", "", false},
		{"word", "origin", "Origin_Local", "origin_local", true},
		{"another attribute's word", "origin", "other_local", "other_local", false},
		{"fingerprint as OpenSSL writes it", "tls_cert_fingerprint", "DA:39:A3:EE:5E:6B:4B:0D:32:55:BF:EF:95:60:18:90:AF:D8:07:09", "da39a3ee5e6b4b0d3255bfef95601890afd80709", true},
		{"info hash", "bt_info_hash", "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709", "da39a3ee5e6b4b0d3255bfef95601890afd80709", true},
		{"half a hash", "bt_info_hash", "da39a3ee", "", false},
		{"risk", "risks", "Missing_SNI", "missing_sni", true},
		{"free text keeps its case", "http_user_agent", "Mozilla/5.0", "Mozilla/5.0", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, ok := Lookup(tt.attr)
			if !ok {
				t.Fatalf("no attribute %s", tt.attr)
			}
			got, ok := a.Canonical(tt.in)
			if ok != tt.ok || ok && got != tt.want {
				t.Errorf("got %q %v, want %q %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}
