package fact

// Pair is a name for two attributes at once: a comparison with it holds when
// it holds for either. It has no value of its own.
type Pair struct {
	Name string
	Of   [2]string // names of attributes
	Doc  string    // one sentence
}

// Pairs lists them, in the order of the documentation.
var Pairs = []Pair{
	{Name: "ip", Of: [2]string{"src_ip", "dst_ip"}, Doc: "The address of either side."},
	{Name: "port", Of: [2]string{"src_port", "dst_port"}, Doc: "The port of either side."},
	{Name: "mac", Of: [2]string{"src_mac", "dst_mac"}, Doc: "The hardware address of either side."},
}

// LookupPair finds a pair by its name, and its two attributes.
func LookupPair(name string) (first, second Attribute, ok bool) {
	for _, p := range Pairs {
		if p.Name == name {
			first, _ = Lookup(p.Of[0])
			second, _ = Lookup(p.Of[1])
			return first, second, true
		}
	}
	return Attribute{}, Attribute{}, false
}
