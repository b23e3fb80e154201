package propose

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/netpol/netpol/lang"
)

// iptables reads what iptables-save or ip6tables-save of either kind printed. ipv is 4
// or 6.
func iptables(data []byte, program, ipv string) (chains map[string]*chain, tables []string) {
	chains = map[string]*chain{}
	table := ""
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "*"):
			table = line[1:]
			tables = append(tables, table)
		case strings.HasPrefix(line, ":"):
			fields := strings.Fields(line[1:])
			if len(fields) > 1 {
				name := program + " " + table + " " + fields[0]
				chains[name] = &chain{name: name, base: fields[1] != "-"}
			}
		case strings.HasPrefix(line, "-A "):
			words := splitQuoted(line)
			if c := chains[program+" "+table+" "+words[1]]; c != nil {
				p := iptablesRule{words: words[2:], calls: program + " " + table + " "}
				c.rules = append(c.rules, p.read(ipv))
			}
		}
	}
	return chains, tables
}

// iptablesRule is a rule in the making.
type iptablesRule struct {
	words []string
	calls string // what stands before the name of a chain that it calls
	out   rule
}

func (p *iptablesRule) add(f field, not bool, values []string, err error) {
	if err != nil {
		p.odd(err.Error())
		return
	}
	p.out.steps = append(p.out.steps, step{kind: asks, condition: condition{field: f, not: not, values: values}})
}

func (p *iptablesRule) odd(why string) {
	p.out.steps = append(p.out.steps, step{kind: strange, why: why})
}

// next takes the next word; empty at the end.
func (p *iptablesRule) next() string {
	if len(p.words) == 0 {
		return ""
	}
	word := p.words[0]
	p.words = p.words[1:]
	return word
}

func (p *iptablesRule) read(ipv string) rule {
	p.out.text = strings.Join(p.words, " ")
	p.add(version, false, []string{ipv}, nil)
	not := false
	for len(p.words) > 0 {
		word := p.next()
		if word == "!" {
			not = true
			continue
		}
		p.option(word, not)
		not = false
	}
	return p.out
}

// option reads one option with its value.
func (p *iptablesRule) option(word string, not bool) {
	switch word {
	case "-m":
		if name := p.next(); !slices.Contains([]string{"tcp", "udp", "sctp", "multiport", "comment", "conntrack", "state"}, name) {
			p.odd("policies cannot ask what -m " + name + " does")
		}
	case "--comment":
		p.out.name = p.next()
	case "-p":
		values, err := fieldValue(protocol, p.next())
		p.add(protocol, not, values, err)
	case "-s", "-d":
		f := sourceAddress
		if word == "-d" {
			f = targetAddress
		}
		values, err := fieldValue(f, p.next())
		p.add(f, not, values, err)
	case "-i":
		values, err := fieldValue(inInterface, p.next())
		p.add(inInterface, not, values, err)
	case "--dport", "--dports", "--sport", "--sports":
		f := targetPort
		if strings.HasPrefix(word, "--s") {
			f = sourcePort
		}
		values, err := iptablesPorts(p.next())
		p.add(f, not, values, err)
	case "--ctstate", "--state", "--ctdir":
		p.next() // policies are of whole connections
	case "-j", "-g":
		p.jump(p.next(), word == "-g")
	default:
		p.odd("policies cannot ask what " + word + " does")
	}
}

// iptablesPorts reads 80,443,5000:5100.
func iptablesPorts(text string) ([]string, error) {
	var out []string
	for part := range strings.SplitSeq(text, ",") {
		from, to, isRange := strings.Cut(part, ":")
		if !isRange {
			to = from
		}
		a, err1 := strconv.Atoi(from)
		b, err2 := strconv.Atoi(to)
		if err1 != nil || err2 != nil {
			return nil, fmt.Errorf("policies cannot ask for the ports %q", part)
		}
		port, err := portRange(a, b)
		if err != nil {
			return nil, err
		}
		out = append(out, port)
	}
	return out, nil
}

// jump reads the target and its options, which end the rule.
func (p *iptablesRule) jump(target string, isGoto bool) {
	options := p.words
	p.words = nil
	value := func(name string) string {
		if i := slices.Index(options, name); i >= 0 && i+1 < len(options) {
			return options[i+1]
		}
		return ""
	}
	give := func(e effect, ok bool, what string) {
		if !ok {
			p.odd("policies cannot do what -j " + what + " does")
		}
		p.out.steps = append(p.out.steps, step{kind: does, effect: e})
	}
	what := strings.Join(append([]string{target}, options...), " ")
	switch target {
	case "ACCEPT", "DROP", "REJECT", "RETURN":
		p.out.steps = append(p.out.steps, step{kind: ends})
	case "DSCP":
		n, err := strconv.ParseUint(value("--set-dscp"), 0, 6)
		name, _, ok := lang.ParseDSCP(strconv.FormatUint(n, 10))
		give(effect{dscp: name}, err == nil && ok, what)
	case "CLASSIFY":
		class := value("--set-class")
		give(effect{priority: shortClass(class)}, isClass(class), what)
	case "MARK", "CONNMARK":
		bits, ok := xmark(value("--set-xmark"))
		bits.packet = target == "MARK"
		if slices.Contains(options, "--restore-mark") || slices.Contains(options, "--save-mark") {
			return // it copies one mark to the other
		}
		give(effect{mark: &bits}, ok, what)
	default:
		p.out.steps = append(p.out.steps, step{kind: calls, target: p.calls + target})
		if isGoto {
			p.out.steps = append(p.out.steps, step{kind: ends})
		}
	}
}

// xmark reads VALUE/MASK of --set-xmark: the bits of the mask are cleared, and then
// the value is flipped.
func xmark(text string) (mark, bool) {
	v, m, two := strings.Cut(text, "/")
	value, err1 := strconv.ParseUint(v, 0, 32)
	bits := uint64(0xffffffff)
	var err2 error
	if two {
		bits, err2 = strconv.ParseUint(m, 0, 32)
	}
	return mark{value: uint32(value), mask: uint32(bits)}, err1 == nil && err2 == nil && value&^bits == 0
}

// shortClass is 0001:0010 as 1:10.
func shortClass(class string) string {
	major, minor, _ := strings.Cut(class, ":")
	short := func(s string) string {
		if s = strings.TrimLeft(s, "0"); s == "" {
			return "0"
		}
		return s
	}
	return short(major) + ":" + short(minor)
}

// splitQuoted splits a line at spaces; text in double quotes, with \" in it, is one
// word.
func splitQuoted(line string) []string {
	var words []string
	var b strings.Builder
	inside, escaped, begun := false, false, false
	for _, r := range line {
		switch {
		case escaped:
			b.WriteRune(r)
			escaped = false
		case inside && r == '\\':
			escaped = true
		case r == '"':
			inside, begun = !inside, true
		case r == ' ' && !inside:
			if begun {
				words = append(words, b.String())
				b.Reset()
			}
			begun = false
		default:
			b.WriteRune(r)
			begun = true
		}
	}
	if begun {
		words = append(words, b.String())
	}
	return words
}
