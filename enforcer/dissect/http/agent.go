package http

import (
	"net/netip"

	"github.com/netpol/netpol/lang/fact"
)

// agents are the beginnings of User-Agents that one product alone sends. Each
// says its own name there.
var agents = [...]struct{ begin, product string }{
	{"microsoft-delivery-optimization/", "windows-update"},
	{"windows-update-agent", "windows-update"},
	{"valve/steam http client", "steam"},
	{"blizzard downloader", "battle-net"},
	{"blizzard web client", "battle-net"},
	{"epicgameslauncher/", "epic-games"},
	{"roblox/", "roblox"},
	{"netflix-ios-app", "netflix"},
	{"spotify/", "spotify"},
	{"itunes/", "apple-itunes"},
	{"zattoo/", "zattoo"},
	{"whatsapp/", "whatsapp"},
	{"dropboxdesktopclient/", "dropbox"},
	{"microsoft skydrivesync", "onedrive"},
}

// setProduct names the product by its User-Agent, where the Host is an address:
// caches of providers are asked so for what a product's own servers have. A host
// name says more.
func setProduct(f *fact.Facts, agent []byte) {
	for _, a := range &agents {
		if !startsFold(agent, a.begin) {
			continue
		}
		if _, err := netip.ParseAddr(f.Hostname); f.Hostname == "" || err == nil {
			f.Application, f.By = a.product, fact.ByPayload
		}
		return
	}
}
