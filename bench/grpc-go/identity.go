package main

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/auth"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
)

const (
	issuer     = "bench.example"
	audience   = "bench"
	caller     = "driver"
	permission = "run:benches"
	lifetime   = time.Hour
	// How many verified tokens are kept.
	maxVerified = 1024
)

// identity signs tokens, and verifies them.
type identity struct {
	private ed25519.PrivateKey
	// Verified tokens: a signature takes as long as many calls, so it is checked once.
	mutex    sync.RWMutex
	verified map[string]*principal
}

// principal is who calls.
type principal struct {
	subject     string
	permissions []string
	expires     time.Time
}

type principalKey struct{}

// claims are those of an access token (RFC 9068).
type claims struct {
	jwt.RegisteredClaims
	ClientID string `json:"client_id"`
	Scope    string `json:"scope"`
}

func loadIdentity(path string) (*identity, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("it is not a PEM document")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	private, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("it is a %T; an Ed25519 key is needed", parsed)
	}
	return &identity{private: private, verified: map[string]*principal{}}, nil
}

func (i *identity) token() (string, error) {
	now := time.Now()
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer:    issuer,
			Subject:   caller,
			Audience:  jwt.ClaimStrings{audience},
			IssuedAt:  jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(now.Add(lifetime)),
			ID:        uuid.NewString(),
		},
		ClientID: caller,
		Scope:    permission,
	})
	token.Header["typ"] = "at+jwt"
	return token.SignedString(i.private)
}

// authenticate is the function of the auth interceptor: who calls, and whether they may.
func (i *identity) authenticate(ctx context.Context) (context.Context, error) {
	token, err := auth.AuthFromMD(ctx, "bearer")
	if err != nil {
		return nil, err
	}
	who, err := i.verify(token)
	if err != nil {
		return nil, status.Error(codes.Unauthenticated, err.Error())
	}
	if !slices.Contains(who.permissions, permission) {
		return nil, status.Errorf(codes.PermissionDenied, "%s lacks %s", who.subject, permission)
	}
	return context.WithValue(ctx, principalKey{}, who), nil
}

func (i *identity) verify(token string) (*principal, error) {
	i.mutex.RLock()
	who := i.verified[token]
	i.mutex.RUnlock()
	if who != nil && time.Now().Before(who.expires) {
		return who, nil
	}
	var read claims
	_, err := jwt.ParseWithClaims(token, &read, func(*jwt.Token) (any, error) {
		return i.private.Public(), nil
	}, jwt.WithValidMethods([]string{"EdDSA"}), jwt.WithIssuer(issuer), jwt.WithAudience(audience),
		jwt.WithExpirationRequired(), jwt.WithLeeway(time.Minute))
	if err != nil {
		return nil, err
	}
	who = &principal{
		subject:     read.Subject,
		permissions: strings.Fields(read.Scope),
		expires:     read.ExpiresAt.Time,
	}
	i.mutex.Lock()
	defer i.mutex.Unlock()
	if len(i.verified) >= maxVerified {
		clear(i.verified)
	}
	i.verified[token] = who
	return who, nil
}

// bearer attaches a token that is fetched once to each call.
type bearer struct{ metadata map[string]string }

var _ credentials.PerRPCCredentials = bearer{}

func newBearer(i *identity) (bearer, error) {
	token, err := i.token()
	if err != nil {
		return bearer{}, fmt.Errorf("signing a token: %w", err)
	}
	return bearer{metadata: map[string]string{"authorization": "Bearer " + token}}, nil
}

func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return b.metadata, nil
}

// RequireTransportSecurity is off: both sides of the comparison go without TLS.
func (b bearer) RequireTransportSecurity() bool { return false }
