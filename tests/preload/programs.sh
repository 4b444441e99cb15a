#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Programs of Debian's packages under `moat run`: what they print and how they
# end is the same as without, and nothing is reported. Prints TAP. To be run at
# the top of the build tree.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

moat=$PWD/tools/moat/moat
cd "$scratch" || exit 99
LC_ALL=C.UTF-8 HOME=$scratch
export LC_ALL HOME

# Something to work on.
awk 'BEGIN { for (i = 0; i < 20000; i++)
    print (i * 7919) % 20011, "line", i, "of some text" }' >text
awk 'BEGIN { printf "["; for (i = 0; i < 2000; i++)
    printf "%s{\"id\": %d, \"name\": \"n%d\"}", i ? "," : "", i, i
    print "]" }' >list.json
mkdir tree
for i in 1 2 3 4 5; do
    cp text "tree/text$i"
done
cat >program.c <<'END'
#include <stdio.h>
int main(void) { puts("compiled"); return 0; }
END
cat >program.cc <<'END'
#include <iostream>
#include <map>
#include <string>
#include <vector>
int main() {
    std::map<std::string, std::vector<int>> map;
    for (int i = 0; i < 1000; i++)
        map[std::to_string(i % 100)].push_back(i);
    long sum = 0;
    for (auto &entry : map)
        for (int number : entry.second)
            sum += number;
    std::cout << sum << "\n";
    try { throw std::string("thrown"); }
    catch (const std::string &what) { std::cout << what << "\n"; }
    return 3;
}
END

# compare NAME SHELL-COMMANDS: in them, $run is what the program is run with.
compare() {
    number=$((number + 1))
    name=$1
    if ! command -v "$name" >/dev/null; then
        echo "ok $number - $name # SKIP not installed"
        return
    fi
    run='' timeout 300 sh -c "$2" >plain.output 2>plain.error </dev/null
    plain=$?
    run="$moat run" timeout 300 sh -c "$2" >moat.output 2>moat.error </dev/null
    status=$?
    grep -v '^moat: [0-9]* blocks\{0,1\} fenced in ' moat.error >moat.rest
    if [ $status -eq $plain ] && cmp plain.output moat.output >differences &&
        cmp plain.error moat.rest >>differences &&
        grep -q '^moat: [1-9][0-9]* blocks\{0,1\} fenced in ' moat.error &&
        [ -s plain.output ]
    then
        echo "ok $number - $name"
    else
        echo "not ok $number - $name"
        echo "# exit status $status, plain $plain"
        head -n 20 differences moat.error | sed 's/^/# /'
    fi
}

# A part of what is expanded in the shell that compare() starts.
# shellcheck disable=SC2016
{
    compare sort '$run sort -n text | md5sum; exit 4'
    compare sed '$run sed "s/\([0-9]*\) line/<\1>/" text | md5sum'
    compare grep '$run grep -c "9.*9" text'
    compare m4 'for i in 1 2 3 4 5 6 7 8 9; do
            echo "define(\`f$i'"'"', \`<\$1:$i>'"'"')f$i(f$i(f$i(word)))"
        done | $run m4'
    # It has a copy of libsigsegv of its own.
    compare m4 'awk "BEGIN { printf \"eval(\"
        for (i = 0; i < 300000; i++) printf \"(\"; print \"1)\" }" |
        $run m4; echo "status $?"'
    compare gawk '$run gawk "{ n[\$1 % 100] += \$3 }
        END { for (i = 0; i < 100; i++) print i, n[i] }" text'
    compare perl '$run perl -e "my %h; while (<>) { \$h{substr(\$_, 0, 3)}++ }
        print map { \"\$_ \$h{\$_}\n\" } sort keys %h; exit 5" text'
    compare python3 'PYTHONMALLOC=malloc $run /usr/bin/python3 -c "
import json, re, threading
data = json.load(open(\"list.json\"))
def work(): return sum(len(re.sub(\"n\", \"mm\", x[\"name\"])) for x in data)
threads = [threading.Thread(target=work) for i in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
print(work())"'
    compare sqlite3 '$run sqlite3 :memory: "create table t(a, b);
        with recursive n(i) as (select 1 union all select i + 1 from n
            where i < 20000) insert into t select i, i * i from n;
        create index x on t(b); select count(*), sum(b) from t where b > 99;"'
    compare lua5.4 '$run lua5.4 -e "local t = {} for i = 1, 20000 do
        t[i] = tostring(i) .. string.rep(\"x\", i % 50) end
        table.sort(t) print(#table.concat(t, \",\"), t[77])"'
    compare jq '$run jq -c "map(select(.id % 7 == 0)) | group_by(.id % 5) |
        map(length)" list.json'
    compare git '$run git init -q repository && cd repository &&
        cp ../tree/* . && $run git add . &&
        $run git -c user.name=a -c user.email=a@b commit -q -m one \
            --date=2020-01-01T00:00:00 &&
        $run git log --format=%s && $run git fsck 2>/dev/null &&
        $run git gc -q; rm -rf ../repository'
    compare bash '$run bash -c "a=(); for i in {1..500}; do a+=(\$i); done
        f() { local x=\$1; ((x > 0)) && f \$((x - 1)); }; f 100
        echo \${a[@]} | wc -w; (exit 3); echo \$?; cat <(echo sub); exit 6"'
    compare dash '$run dash -c "i=0; while [ \$i -lt 500 ]; do i=\$((i + 1))
        done; echo \$i; (exit 3) || echo \$?; exit 7"'
    compare gcc '$run gcc -O2 -o program program.c && ./program'
    compare g++ '$run g++ -o program++ program.cc && $run ./program++'
    compare tar '$run tar -cf tree.tar --mtime=@0 --sort=name tree &&
        $run tar -tf tree.tar && md5sum tree.tar'
    compare xz '$run xz -T2 --block-size=65536 -c text >text.xz &&
        $run xz -dc text.xz | md5sum'
    compare curl '$run curl -s "file://$PWD/text" | md5sum'
    compare make 'printf "all: a b c\na b c:\n\t@echo \$@\n" >makefile
        $run make -s'
    compare find '$run find tree -type f | sort'
    compare diff '$run diff -u text list.json | tail -n +3 | md5sum'
    compare gdb '$run gdb -q -batch -ex "print 6 * 7"'
    # Where the pages were left out on installing, there is nothing to compare.
    if man -w 1 sort >/dev/null 2>&1; then
        compare man '$run man -P cat 1 sort | head -n 20'
    fi
    # The server of Debian's redis-tools goes by another name, and starts no
    # service. It is found at its socket, so that a taken port is tried again.
    compare redis-check-rdb 'ln -sf "$(command -v redis-check-rdb)" redis-server
        socket=$PWD/socket port=$((20000 + $$ % 10000)) tries=0
        start() {
            $run ./redis-server --bind 127.0.0.1 --port $port \
                --unixsocket $socket --save "" --io-threads 2 --logfile log &
            server=$!
        }
        start
        until redis-cli -s $socket ping >ping 2>&1; do
            kill -0 $server 2>/dev/null || { port=$((port + 1)); start; }
            tries=$((tries + 1)); [ $tries -lt 1000 ] || exit 9
        done
        redis-benchmark -h 127.0.0.1 -p $port -q -n 2000 -c 10 -P 4 \
            -t set,get,incr,lpush,rpop,sadd,hset,zadd,mset >benchmark
        grep -c "requests per second" benchmark
        redis-cli -s $socket eval "for i = 1, 2000 do
            redis.call(\"set\", \"k\" .. i, i) end
            return redis.call(\"dbsize\") > 2000" 0
        redis-cli -s $socket bgsave >ping
        redis-cli -s $socket get k77
        redis-cli -s $socket shutdown nosave; wait $server'
    compare node '$run node -e "let m = new Map(); for (let i = 0; i < 1e5;
        i++) m.set(\"k\" + i % 999, i); console.log(m.size);
        const text = require(\"fs\").readFileSync(\"text\");
        const {gzipSync, gunzipSync} = require(\"zlib\");
        console.log(gunzipSync(gzipSync(text)).length);
        const {createHash, randomBytes} = require(\"crypto\");
        console.log(createHash(\"sha256\").update(text).digest(\"hex\"),
            randomBytes(100).length);
        const {Worker} = require(\"worker_threads\");
        const worker = new Worker(\"require(\\\"worker_threads\\\")\" +
            \".parentPort.postMessage([1, 2, 3].map(x => x * x))\",
            {eval: true});
        worker.on(\"message\", x => console.log(x))"'

    # Many processes, and many threads.
    compare perl '$run perl -e "for my \$i (1..30) { my \$child = fork;
            if (!\$child) { my @a = map { \"x\$_\" } 1..\$i; exit(@a % 7) }
            waitpid \$child, 0; \$sum += \$? >> 8 } print \"\$sum\n\""'
    compare python3 'PYTHONMALLOC=malloc $run /usr/bin/python3 -c "
import multiprocessing
if __name__ == \"__main__\":
    with multiprocessing.get_context(\"fork\").Pool(2) as pool:
        print(sum(pool.map(len, [\"a\" * i for i in range(300)])))"'
    compare sort 'awk "BEGIN { for (i = 0; i < 300000; i++)
            print (i * 7919) % 300007 }" >long
        $run sort --parallel=4 -S 60M -n long | md5sum'
    compare make 'rm -rf built; mkdir built
        for i in 1 2 3 4 5 6; do echo "int f$i(void) { return $i; }" \
            >built/f$i.c; done
        printf "all: f1.o f2.o f3.o f4.o f5.o f6.o\n%%.o: %%.c\n\t" \
            >built/makefile
        printf "\$(CC) -c \$< -o \$@\n" >>built/makefile
        $run make -s -j4 -C built && ls built'
}
echo "1..$number"
