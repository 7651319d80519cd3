package boot

import "math"

func (d *decoder) checkIngest(i Ingest) {
	d.listen("ingest.listen", i.Listen)
	d.baseURL("ingest.base_url", i.BaseURL)
	d.rate("ingest.peer_rate", i.PeerRate)
	d.rate("ingest.rate", i.Rate)
	for n, p := range i.Proxies {
		if p.Bits() == 0 {
			d.bad(entry("ingest.proxies", n), "would believe everybody's X-Forwarded-For; list the proxies alone")
		}
	}
	if t := i.TLS; t != nil && (t.CertFile == "" || t.KeyFile == "") {
		d.bad("ingest.tls", "want cert_file and key_file; without tls it is plain HTTP, for a proxy that ends TLS")
	}
}

// rate has no word for no limit: a sender that repeats itself in a loop would
// fill the broker.
func (d *decoder) rate(path string, r Rate) {
	if !(r.PerSecond > 0 && r.PerSecond <= math.MaxInt32) {
		d.bad(path+".per_second", "want more than 0, requests")
	}
	d.within(path+".burst", r.Burst, 1, math.MaxInt32)
}
