-- SPDX-License-Identifier: GPL-2.0-only
-- "both" with +RTS -N2: two threads, each bound to a capability by forkOn, compute: parallel.
-- "one" with -N1: two of them on one thread of the kernel: what lab sees is one thread that
-- computes, and GHC's ticker beside it, which is not what the end waited for.
import Control.Concurrent
import Control.Exception (evaluate)
import System.Environment (getArgs)

work :: Int -> Int
work n = go n 1 where
  go 0 x = x
  go k x = go (k - 1) (x * 1103515245 + k `mod` 7)

main :: IO ()
main = do
  _ <- getArgs
  done <- newEmptyMVar
  mapM_ (\i -> forkOn i (evaluate (work (60000000 + i)) >>= putMVar done)) [1, 2]
  total <- (+) <$> takeMVar done <*> takeMVar done
  print total
