package ingest

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"

	"changerelay/internal/metrics"
	"changerelay/internal/tracing"
)

// A Server answers requests. It is safe for concurrent use.
type Server struct {
	publisher Publisher
	finder    Finder
	parker    Parker
	marks     Marks
	metrics   *metrics.Metrics
	log       *slog.Logger
	tracer    *tracing.Tracer
	now       func() time.Time
	baseURL   string

	clientCAs func() *x509.CertPool // in force; nil: certificates are as their handshake left them

	tenants map[string]bool
	peers   *peers        // of requests, by where they come from
	total   *rate.Limiter // of all requests that bring something

	reloads sync.Mutex // held by a reload
	mu      sync.Mutex
	roster  *roster // in force; guarded by mu, written by reloads only

	echo      *echo.Echo
	inFlight  atomic.Int64 // bytes claimed by requests in progress
	strangers strangers    // those of them that are not verified
	waits     waits        // of readers
}

// New checks the whole configuration; its error names every wrong source and field.
func New(c Config) (*Server, error) {
	s := &Server{
		publisher: c.Publisher, finder: c.Finder, parker: c.Parker, marks: c.Marks, metrics: c.Metrics, log: c.Log, tracer: c.Tracer, now: c.Now,
		baseURL:   strings.TrimRight(c.BaseURL, "/"),
		clientCAs: c.ClientCAs, tenants: set(c.Tenants), strangers: strangers{bytes: map[netip.Addr]int64{}},
		waits: waits{by: map[netip.Addr]int{}, over: make(chan struct{})},
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	r, err := newRoster(c.Sources, s.tenants, nil)
	if err := errors.Join(c.check(), err); err != nil {
		if r != nil {
			r.close()
		}
		return nil, fmt.Errorf("configuring ingest: %w", err)
	}
	s.roster = r
	s.peers, s.total = newPeers(cmp.Or(c.PeerRate, DefaultPeerRate)), c.Rate.limiter(DefaultTotalRate)
	s.metrics.SetSources(s.roster.labels())
	s.echo = s.routes(c.Proxies)
	return s, nil
}

func (c Config) check() error {
	switch {
	case c.Publisher == nil || c.Finder == nil || c.Parker == nil || c.Marks == nil:
		return errors.New("publisher, finder, parker, marks: all are needed")
	case c.Metrics == nil:
		return errors.New("metrics: are needed")
	}
	if u, err := url.Parse(c.BaseURL); err != nil || c.BaseURL != "" && (u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		return errors.New("base_url: want one such as https://changes.example.com")
	}
	var proxies error
	for i, p := range c.Proxies {
		if !isRange(p) {
			proxies = errors.Join(proxies, fmt.Errorf("proxies[%d]: %s", i, wantRange))
		}
	}
	return errors.Join(c.Rate.check("rate"), c.PeerRate.check("peer_rate"), proxies)
}

// Paths of the routes, as Echo writes them.
const (
	changesPath  = "/v1/changes"
	changePath   = "/v1/changes/:id"
	hookPath     = "/v1/hooks/:source"
	documentPath = "/v1/openapi.json"
)

// allowed are the methods of each path for the Allow header. OPTIONS of hooks is
// there for those who know that it is.
var allowed = map[string]string{
	changesPath: "GET, POST", changePath: http.MethodGet, hookPath: http.MethodPost, documentPath: http.MethodGet,
}

// routes builds the Echo instance. Everything passes observe, requests for
// unknown paths and methods too.
func (s *Server) routes(proxies []netip.Prefix) *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.Logger.SetOutput(io.Discard) // its one use left is Echo's own start-up
	e.IPExtractor = addresses(proxies)
	e.HTTPErrorHandler = func(err error, c echo.Context) { s.finish(s.begin(c), err) }
	e.Use(s.observe)
	e.POST(changesPath, s.handle("/v1/changes", s.postChange))
	e.GET(changesPath, s.handle("/v1/changes", s.getTicket))
	e.GET(changePath, s.handle("/v1/changes/{id}", s.getChange))
	e.POST(hookPath, s.handle("/v1/hooks/{source}", s.postHook))
	e.OPTIONS(hookPath, s.handle("/v1/hooks/{source}", s.optionsHook))
	e.GET(documentPath, s.handle(documentPath, s.getDocument))
	return e
}

// addresses says where a request comes from: the peer, or what the configured
// proxies say, and nobody else. By default Echo believes X-Forwarded-For of
// anybody, or of all private addresses.
func addresses(proxies []netip.Prefix) echo.IPExtractor {
	if proxies == nil {
		return echo.ExtractIPDirect()
	}
	trust := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, p := range proxies {
		p = p.Masked()
		trust = append(trust, echo.TrustIPRange(&net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}))
	}
	return echo.ExtractIPFromXFFHeader(trust...)
}

// Handler serves the routes, without the bounds that only a server can keep.
func (s *Server) Handler() http.Handler { return s.echo }

// HTTPServer is the server to run: Handler behind its time and size limits.
// Shutting it down waits for requests in progress, and has readers who wait for
// an outcome answered with what is known.
func (s *Server) HTTPServer(addr string) *http.Server {
	h := &http.Server{
		Addr:              addr,
		Handler:           s.Handler(),
		ReadHeaderTimeout: ReadHeaderTimeout,
		ReadTimeout:       ReadTimeout,
		WriteTimeout:      WriteTimeout,
		IdleTimeout:       IdleTimeout,
		MaxHeaderBytes:    MaxHeaderBytes,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: MaxStreams},
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	h.RegisterOnShutdown(s.waits.end)
	return h
}
