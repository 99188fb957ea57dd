ld1 {v8.16b-v11.16b}, [x1], #64
ld1 {v0.16b-v3.16b}, [x11], #64
ld1 {v4.16b-v7.16b}, [x11], #64
smull v12.8h, v0.8b, v8.8b
smull v13.8h, v1.8b, v8.8b
smull v14.8h, v2.8b, v8.8b
smull v15.8h, v3.8b, v8.8b
smlal2 v12.8h, v0.16b, v8.16b
smlal2 v13.8h, v1.16b, v8.16b
smlal2 v14.8h, v2.16b, v8.16b
smlal2 v15.8h, v3.16b, v8.16b
smlal v12.8h, v4.8b, v9.8b
smlal v13.8h, v5.8b, v9.8b
smlal v14.8h, v6.8b, v9.8b
smlal v15.8h, v7.8b, v9.8b
smlal2 v12.8h, v4.16b, v9.16b
smlal2 v13.8h, v5.16b, v9.16b
smlal2 v14.8h, v6.16b, v9.16b
smlal2 v15.8h, v7.16b, v9.16b
sadalp v16.4s, v12.8h
sadalp v20.4s, v13.8h
sadalp v24.4s, v14.8h
sadalp v28.4s, v15.8h
smull v12.8h, v0.8b, v10.8b
smull v13.8h, v1.8b, v10.8b
smull v14.8h, v2.8b, v10.8b
smull v15.8h, v3.8b, v10.8b
smlal2 v12.8h, v0.16b, v10.16b
smlal2 v13.8h, v1.16b, v10.16b
smlal2 v14.8h, v2.16b, v10.16b
smlal2 v15.8h, v3.16b, v10.16b
smlal v12.8h, v4.8b, v11.8b
smlal v13.8h, v5.8b, v11.8b
smlal v14.8h, v6.8b, v11.8b
smlal v15.8h, v7.8b, v11.8b
smlal2 v12.8h, v4.16b, v11.16b
smlal2 v13.8h, v5.16b, v11.16b
smlal2 v14.8h, v6.16b, v11.16b
smlal2 v15.8h, v7.16b, v11.16b
sadalp v17.4s, v12.8h
sadalp v21.4s, v13.8h
sadalp v25.4s, v14.8h
sadalp v29.4s, v15.8h
ld1 {v8.16b-v11.16b}, [x1], #64
smull v12.8h, v0.8b, v8.8b
smull v13.8h, v1.8b, v8.8b
smull v14.8h, v2.8b, v8.8b
smull v15.8h, v3.8b, v8.8b
smlal2 v12.8h, v0.16b, v8.16b
smlal2 v13.8h, v1.16b, v8.16b
smlal2 v14.8h, v2.16b, v8.16b
smlal2 v15.8h, v3.16b, v8.16b
smlal v12.8h, v4.8b, v9.8b
smlal v13.8h, v5.8b, v9.8b
smlal v14.8h, v6.8b, v9.8b
smlal v15.8h, v7.8b, v9.8b
smlal2 v12.8h, v4.16b, v9.16b
smlal2 v13.8h, v5.16b, v9.16b
smlal2 v14.8h, v6.16b, v9.16b
smlal2 v15.8h, v7.16b, v9.16b
sadalp v18.4s, v12.8h
sadalp v22.4s, v13.8h
sadalp v26.4s, v14.8h
sadalp v30.4s, v15.8h
smull v12.8h, v0.8b, v10.8b
smull v13.8h, v1.8b, v10.8b
smull v14.8h, v2.8b, v10.8b
smull v15.8h, v3.8b, v10.8b
smlal2 v12.8h, v0.16b, v10.16b
smlal2 v13.8h, v1.16b, v10.16b
smlal2 v14.8h, v2.16b, v10.16b
smlal2 v15.8h, v3.16b, v10.16b
smlal v12.8h, v4.8b, v11.8b
smlal v13.8h, v5.8b, v11.8b
smlal v14.8h, v6.8b, v11.8b
smlal v15.8h, v7.8b, v11.8b
smlal2 v12.8h, v4.16b, v11.16b
smlal2 v13.8h, v5.16b, v11.16b
smlal2 v14.8h, v6.16b, v11.16b
smlal2 v15.8h, v7.16b, v11.16b
sadalp v19.4s, v12.8h
sadalp v23.4s, v13.8h
sadalp v27.4s, v14.8h
sadalp v31.4s, v15.8h
ldrb w12, [x3], #1
add x12, x13, x12, lsl #9
br x12
out:
