// Package param declares optional values, and parameters that are replaced as a whole.
package param

type Opt[T any] struct{ Value T }

type Overridden struct{ Value any }

func (o *Overridden) Set(value any) { o.Value = value }

type settable[T any] interface {
	*T
	Set(any)
}

func Override[T any, P settable[T]](value any) T {
	var made T
	P(&made).Set(value)
	return made
}
