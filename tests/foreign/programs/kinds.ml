(* SPDX-License-Identifier: GPL-2.0-only
   "threads": two threads compute under OCaml's master lock: concurrent, that lock the serializer.
   "fork": two processes compute: parallel. "alone": one computes: sequential. *)
let burn seconds =
  let stop = Sys.time () +. seconds in
  while Sys.time () < stop do ignore (List.init 100 (fun i -> i * i)) done

let () =
  match Sys.argv.(1) with
  | "threads" ->
    let work () = for _ = 1 to 150 do ignore (Array.init 20000 (fun i -> [ i ])) done in
    List.iter Thread.join (List.init 2 (fun _ -> Thread.create work ()))
  | "fork" ->
    for _ = 1 to 2 do if Unix.fork () = 0 then (burn 0.3; exit 0) done;
    for _ = 1 to 2 do ignore (Unix.wait ()) done
  | _ -> burn 0.3
