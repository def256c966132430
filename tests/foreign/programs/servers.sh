#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# servers.sh redis|nginx|postgres|initdb: starts a server in this folder, lets a client work with
# it, and ends it. Server and client both have work at the same time: parallel.

# Until a command succeeds, at most 5 seconds.
until_ready() {
	i=0
	until "$@" >/dev/null 2>&1; do
		i=$((i + 1))
		[ "$i" -lt 50 ] || exit 1
		sleep 0.1
	done
}

programs=$(echo /usr/lib/postgresql/*/bin | tr ' ' '\n' | tail -n 1)
as_postgres() {
	setpriv --reuid=postgres --regid=postgres --clear-groups "$@"
}

case $1 in
redis)
	redis-server --port 0 --unixsocket ./redis.sock --save '' >/dev/null &
	until_ready redis-cli -s ./redis.sock ping
	redis-benchmark -s ./redis.sock -n 30000 -c 8 -q -t get,set >/dev/null
	redis-cli -s ./redis.sock shutdown nosave
	wait
	;;
nginx)
	cat >nginx.conf <<-EOF
		daemon off; worker_processes 1; error_log stderr; pid $PWD/nginx.pid;
		events { worker_connections 64; }
		http {
			access_log off; client_body_temp_path $PWD/nginx.tmp; proxy_temp_path $PWD/nginx.tmp;
			fastcgi_temp_path $PWD/nginx.tmp; uwsgi_temp_path $PWD/nginx.tmp; scgi_temp_path $PWD/nginx.tmp;
			server { listen 127.0.0.1:18463; root $PWD; }
		}
	EOF
	nginx -e stderr -p "$PWD" -c "$PWD/nginx.conf" &
	until_ready ab -n 1 http://127.0.0.1:18463/servers.sh
	ab -q -n 3000 -c 8 http://127.0.0.1:18463/servers.sh >/dev/null
	kill $!
	wait
	;;
initdb)
	rm -rf pg && mkdir pg && chown postgres pg
	as_postgres "$programs/initdb" -D pg/data --no-sync -A trust
	;;
postgres)
	as_postgres "$programs/postgres" -D pg/data -k "$PWD/pg" -c listen_addresses= 2>/dev/null &
	until_ready "$programs/pg_isready" -h "$PWD/pg"
	"$programs/pgbench" -q -i -h "$PWD/pg" -U postgres postgres 2>/dev/null
	"$programs/pgbench" -S -c 2 -j 2 -T 1 -h "$PWD/pg" -U postgres postgres >/dev/null 2>&1
	kill -INT "$(head -n 1 pg/data/postmaster.pid)"
	wait
	;;
esac
