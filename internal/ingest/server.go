package ingest

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"changerelay/internal/ingest/verify"
	"changerelay/internal/metrics"
)

// A Server answers requests. It is safe for concurrent use.
type Server struct {
	publisher Publisher
	finder    Finder
	metrics   *metrics.Metrics
	log       *slog.Logger
	now       func() time.Time
	baseURL   string

	tenants map[string]bool
	sources map[string]*sender
	open    []*sender        // those of kind cloudevents, tried in turn for /v1/changes
	nobody  *verify.Verifier // stands in for a source that does not exist

	echo     *echo.Echo
	inFlight atomic.Int64 // bytes claimed by requests in progress
}

// New checks the whole configuration; its error names every wrong source and field.
func New(c Config) (*Server, error) {
	s := &Server{
		publisher: c.Publisher, finder: c.Finder, metrics: c.Metrics, log: c.Log, now: c.Now,
		baseURL: strings.TrimRight(c.BaseURL, "/"),
		tenants: map[string]bool{}, sources: map[string]*sender{}, nobody: newNobody(),
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if err := errors.Join(c.check(), s.addSources(c)); err != nil {
		return nil, fmt.Errorf("configuring ingest: %w", err)
	}
	s.echo = s.routes()
	return s, nil
}

func (c Config) check() error {
	switch {
	case c.Publisher == nil || c.Finder == nil:
		return errors.New("publisher, finder: both are needed")
	case c.Metrics == nil:
		return errors.New("metrics: are needed")
	}
	if u, err := url.Parse(c.BaseURL); err != nil || c.BaseURL != "" && (u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		return errors.New("base_url: want one such as https://changes.example.com")
	}
	return nil
}

// routes builds the Echo instance. Everything passes observe, requests for
// unknown paths and methods too.
func (s *Server) routes() *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.Logger.SetOutput(io.Discard)         // its one use left is Echo's own start-up
	e.IPExtractor = echo.ExtractIPDirect() // by default Echo believes X-Forwarded-For of anybody
	e.HTTPErrorHandler = func(err error, c echo.Context) { s.finish(s.begin(c), err) }
	e.Use(s.observe)
	e.POST("/v1/changes", handle("/v1/changes", s.postChange))
	e.GET("/v1/changes/:id", handle("/v1/changes/{id}", s.getChange))
	e.POST("/v1/hooks/:source", handle("/v1/hooks/{source}", s.postHook))
	return e
}

// Handler serves the routes, without the bounds that only a server can keep.
func (s *Server) Handler() http.Handler { return s.echo }

// HTTPServer is the server to run: Handler behind its time and size limits.
// Shutting it down waits for requests in progress.
func (s *Server) HTTPServer(addr string) *http.Server {
	return &http.Server{
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
}
