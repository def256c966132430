%% SPDX-License-Identifier: GPL-2.0-only
%% both: two processes compute: parallel. ping: two pass a message back and forth and compute
%% while they have it. An idle scheduler of Erlang waits for a futex with the value -1, which is
%% no lock.
-module(kinds).
-export([both/0, one/0]).

burn(0, X) -> X;
burn(N, X) -> burn(N - 1, (X * 1103515245 + N) rem 65536).

both() ->
    Me = self(),
    [spawn(fun() -> Me ! burn(15000000, I) end) || I <- [1, 2]],
    [receive _ -> ok end || _ <- [1, 2]],
    halt(0).

one() ->
    burn(150000000, 1),
    halt(0).
