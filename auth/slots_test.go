package auth

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A caller that waits for its turn to hash stops waiting when its context ends.
func TestWaitingEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := NewVerifier(Options{Cost: Cost{Memory: 8, Passes: 1, Threads: 1}, Hashings: 2})
		if err := v.slots.Acquire(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		_, err := v.Secret(ctx, nil, NewSecret("x"), Request{})
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrDenied) || time.Since(begin) != time.Second {
			t.Errorf("error after %v is %v", time.Since(begin), err)
		}
		done := make(chan error)
		go func() {
			_, err := v.Secret(t.Context(), nil, NewSecret("x"), Request{})
			done <- err
		}()
		synctest.Wait()
		if got := v.Stats().Hashings; got != 0 {
			t.Errorf("%d hashings beyond the bound", got)
		}
		v.slots.Release(1)
		if err := <-done; !errors.Is(err, ErrDenied) {
			t.Errorf("error is %v", err)
		}
	})
}

// Many requests with the same right password hash it once.
func TestWaitersRemember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cost := Cost{Memory: 8, Passes: 1, Threads: 1}
		v := NewVerifier(Options{Cost: cost, Hashings: 1})
		c, err := NewPasswordCredential(HashPassword(NewSecret("x"), cost))
		if err != nil {
			t.Fatal(err)
		}
		if err := v.slots.Acquire(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		const callers = 20
		done := make(chan error)
		for range callers {
			go func() {
				_, err := v.Secret(t.Context(), []Credential{c}, NewSecret("x"), Request{})
				done <- err
			}()
		}
		synctest.Wait()
		v.slots.Release(1)
		for range callers {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if got := v.Stats(); got.Hashings != 1 || got.Remembered != callers-1 {
			t.Errorf("stats are %+v", got)
		}
	})
}

// ending is a context that ends after it was asked some times.
type ending struct {
	context.Context
	left int
}

func (e *ending) Err() error {
	if e.left--; e.left < 0 {
		return context.DeadlineExceeded
	}
	return nil
}

// Nobody's hashings go on when he has left, and that is no denial.
func TestHashingEndsWithTheContext(t *testing.T) {
	cost := Cost{Memory: 8, Passes: 1, Threads: 1}
	var candidates []Credential
	for range MaxCandidates {
		c, err := NewPasswordCredential(HashPassword(NewSecret("x"), cost))
		if err != nil {
			t.Fatal(err)
		}
		candidates = append(candidates, c)
	}
	for _, of := range []int{0, 1, MaxCandidates} {
		v := NewVerifier(Options{Cost: cost})
		_, err := v.Secret(&ending{t.Context(), 1}, candidates[:of], NewSecret("y"), Request{})
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrDenied) {
			t.Errorf("%d candidates: error is %v", of, err)
		}
		if got := v.Stats().Hashings; got > 1 {
			t.Errorf("%d candidates: %d hashings", of, got)
		}
	}
}

// What a denial takes because of bcrypt is bounded, and follows the hashes that are in use.
func TestBcryptIsForgotten(t *testing.T) {
	v := NewVerifier(Options{})
	now := time.Unix(1_700_000_000, 0)
	f := func(after time.Duration, want int) {
		t.Helper()
		if got := v.bcryptCost(now.Add(after)); got != want {
			t.Errorf("after %v a denial takes bcrypt of cost %d; want %d", after, got, want)
		}
	}
	f(0, 0)
	v.see(hash{}, now)
	f(0, 0)
	v.see(hash{bcrypt: 14}, now)
	v.see(hash{bcrypt: 10}, now.Add(30*time.Minute))
	f(59*time.Minute, 12)
	f(time.Hour, 10)
	f(90*time.Minute, 0)
}
